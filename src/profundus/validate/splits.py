"""Which trials are learned from and which are judged: splits under which nothing that is judged was ever learned from.

Every split raises InputError with everything that is wrong: a person with no trial to learn from, none of them with a moment, or no trial
to be judged by; a recording, or a piece of one, that is on both sides; a name, load or motion that there is not; and trials whose load
or motion is unknown where the split goes by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from profundus.errors import InputError, Problem
from profundus.records import Recording, Study, Subject
from profundus.validate.soundness import leaks, nothing_to_judge, nothing_to_learn

Halves = tuple[Study, Study]
SAME_LOAD_KG = 1e-6
SHOWN = 40


def by_role(study: Study) -> Study:
    """Return the study with the roles of its file."""
    return _sound(study)


def by_load(study: Study, *, test: float) -> Study:
    """Return the study in which the trials with the load ``test`` [kg] are judged and those with all other loads learned from."""
    loads = sorted({r.load_kg for r in _recordings(study) if not math.isnan(r.load_kg)})
    problems = list(_unknown(study, "load_kg", lambda r: math.isnan(r.load_kg)))
    if not any(_same(test, load) for load in loads):
        problems.append(_absent(study, f"no trial has a load of {test:g} kg", [f"{load:g} kg" for load in loads]))
    return _sound(_assigned(study, lambda r: _same(test, r.load_kg)), problems)


def by_motion(study: Study, *, test: str) -> Study:
    """Return the study in which the trials of one kind of motion are judged and those of all others learned from."""
    motions = sorted({r.motion for r in _recordings(study)} - {""})
    problems = list(_unknown(study, "motion", lambda r: not r.motion))
    if test not in motions:
        problems.append(_absent(study, f"no trial has the motion '{test}'", motions))
    return _sound(_assigned(study, lambda r: r.motion == test), problems)


def by_trial(study: Study, *, test: Collection[str]) -> Study:
    """Return the study in which the trials of these names are judged, in everybody, and all others learned from."""
    names = list(dict.fromkeys(r.name for r in _recordings(study)))
    problems = [
        _absent(study, f"there is no trial '{name}'", names) for name in dict.fromkeys(test) if name not in names
    ]
    return _sound(_assigned(study, lambda r: r.name in test), problems)


def by_fold(study: Study, *, fold: int, of: int) -> Study:
    """Return the study in which part ``fold`` (1 to ``of``) of everybody's trials is judged and the others learned from.

    Trials are dealt out in turn, load by load and within a load motion by motion, so that every part has its share of each; every trial
    is in exactly one part.
    """
    if not (of >= 2 and 1 <= fold <= of):
        raise InputError(Problem("error", f"there is no part {fold} of {of}", expected="1/2, 2/2, 1/3, ..."))

    def dealt(person: Subject) -> Sequence[Recording]:
        return sorted(person.recordings, key=_kind)[fold - 1 :: of]

    chosen = {id(recording) for person in study.subjects for recording in dealt(person)}
    return _sound(_assigned(study, lambda r: id(r) in chosen))


def by_subject(study: Study, *, test: Collection[str]) -> Halves:
    """Return the study of the people to learn from and the study of those to judge by, each with the roles of the file."""
    names = [person.id for person in study.subjects]
    problems = [
        _absent(study, f"there is no subject '{name}'", names) for name in dict.fromkeys(test) if name not in names
    ]
    learned = replace(study, subjects=tuple(person for person in study.subjects if person.id not in test))
    judged = replace(study, subjects=tuple(person for person in study.subjects if person.id in test))
    if not test:
        problems.append(_absent(study, "nobody is judged", names))
    if not learned.subjects:
        problems.append(Problem("error", "nobody is left to learn from", study.source, remedy="Judge fewer people"))
    problems += [*nothing_to_learn(learned), *leaks(learned, judged)]
    return learned, _sound(judged, problems)


def split_from(text: str) -> Callable[[Study], Halves]:
    """Return the split that a line of text asks for: a function from a study to (what is learned from, what is judged).

    ``roles``, ``load:2``, ``motion:pulses``, ``trial:1/3`` (the first of three parts), ``trial:curl_3,curl_4``, ``subject:S100,S101``. Both
    studies are one and the same, its trials parted by their roles; but with ``subject`` the first holds the people to learn from and the
    second those to judge by. Raises InputError for any other text.
    """
    kind, colon, asked = (part.strip() for part in text.partition(":"))
    names = tuple(name.strip() for name in asked.split(",") if name.strip())
    load, fold = _number(asked), _fold(asked)
    if kind == "roles" and not colon:
        return lambda study: _twice(by_role(study))
    if kind == "load" and load is not None:
        return lambda study: _twice(by_load(study, test=load))
    if kind == "motion" and len(names) == 1:
        return lambda study: _twice(by_motion(study, test=names[0]))
    if kind == "trial" and fold is not None:
        return lambda study: _twice(by_fold(study, fold=fold[0], of=fold[1]))
    if kind == "trial" and names and "/" not in asked:
        return lambda study: _twice(by_trial(study, test=names))
    if kind == "subject" and names:
        return lambda study: by_subject(study, test=names)
    expected = "roles, load:2, motion:pulses, trial:1/3, trial:curl_3,curl_4 or subject:S100,S101"
    raise InputError(Problem("error", f"'{text}' is no split", expected=expected))


def _twice(study: Study) -> Halves:
    return study, study


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _fold(text: str) -> tuple[int, int] | None:
    parts = [part.strip() for part in text.split("/")]
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        return None
    fold, of = map(int, parts)
    return (fold, of) if of >= 2 and 1 <= fold <= of else None


def _same(one: float, other: float) -> bool:
    return abs(one - other) < SAME_LOAD_KG


def _kind(recording: Recording) -> tuple[bool, float, str]:
    """Return what puts trials in the order in which they are dealt out: load, unknown ones last, then motion."""
    unknown = math.isnan(recording.load_kg)
    return unknown, 0.0 if unknown else recording.load_kg, recording.motion


def _recordings(study: Study) -> Iterator[Recording]:
    return (recording for person in study.subjects for recording in person.recordings)


def _assigned(study: Study, judged: Callable[[Recording], bool]) -> Study:
    """Return the study with the role "test" for what is judged, "fit" for all else."""

    def parted(person: Subject) -> Subject:
        return replace(
            person, recordings=tuple(replace(r, role="test" if judged(r) else "fit") for r in person.recordings)
        )

    return replace(study, subjects=tuple(map(parted, study.subjects)))


def _absent(study: Study, what: str, known: Sequence[str]) -> Problem:
    listed = "one of " + ", ".join(known[:SHOWN]) if known else "trials that have one"
    return Problem("error", what, study.source, expected=listed)


def _unknown(study: Study, key: str, missing: Callable[[Recording], bool]) -> Iterator[Problem]:
    for person in study.subjects:
        names = [recording.name for recording in person.recordings if missing(recording)]
        if names:
            what = (
                f"subject {person.id}: {key} is unknown in {', '.join(names[:SHOWN])}: they may belong to either side"
            )
            yield Problem("error", what, study.source, remedy=f"Give {key} for every trial")


def _sound(study: Study, problems: Iterable[Problem] = ()) -> Study:
    """Return the study if everybody can be fitted and judged and nothing is on both sides, or refuse it."""
    found = list(problems)
    if not found:  # else the roles are not those that were meant
        found = [*nothing_to_learn(study), *nothing_to_judge(study), *leaks(study, study, role="fit")]
    if found:
        raise InputError(found)
    return study
