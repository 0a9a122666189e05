"""Names of persons and trials, before they become names of files."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from profundus.errors import Problem, UnsafeInputError
from profundus.io.study_names import is_name


def refuse_names(subjects: Sequence[str], trials: Sequence[str] = (), *, taken: Collection[str] = ()) -> None:
    """Raise UnsafeInputError for names that leave the folder, hide, or fall on one another or on files that are ``taken``."""
    problems = [
        Problem("error", f"{name!r} cannot name a folder", expected="letters, digits, '_', '-' and '.' within")
        for name in (*subjects, *trials)
        if not is_name(name) or name.endswith(".") or name.casefold() in taken
    ]
    folded = [name.casefold() for name in trials]
    problems += [
        Problem("error", f"two trials would share the folder '{name}'")
        for name in sorted(set(folded))
        if folded.count(name) > 1
    ]
    if problems:
        raise UnsafeInputError(problems)
