"""The people of a study who are asked for by name."""

from __future__ import annotations

from collections.abc import Sequence

from profundus.errors import InputError, Problem
from profundus.io.study_names import nearest_name
from profundus.records import Study, Subject


def chosen_people(study: Study, subjects: Sequence[str] | None) -> tuple[Subject, ...]:
    """Return the persons of a study who were asked for, as `chosen_names`."""
    known = {person.id: person for person in study.subjects}
    return tuple(known[name] for name in chosen_names(tuple(known), subjects, file=study.source))


def chosen_names(known: Sequence[str], subjects: Sequence[str] | None, *, file: str) -> tuple[str, ...]:
    """Return those of the ``known`` who were asked for, each once, in the order of the study ``file``; all by default.

    One name may stand alone. Raises InputError that names every stranger, and tells whom there is.
    """
    if subjects is None:
        return tuple(known)
    named = (subjects,) if isinstance(subjects, str) else tuple(subjects)
    if not named:
        raise InputError(Problem("error", "no subject is named", file=file, remedy="Name one, or do not choose at all"))
    there, wanted = set(known), dict.fromkeys(named)
    if strangers := [name for name in wanted if name not in there]:
        raise InputError(
            Problem("error", f"there is no subject '{name}'", file=file, remedy=nearest_name(name, known))
            for name in strangers
        )
    return tuple(name for name in known if name in wanted)
