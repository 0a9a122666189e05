"""The anatomy that all people of a cohort share, and whether two are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError
from profundus.io.osim import is_osim
from profundus.io.study_people import StudyOutline
from profundus.protocols.models import anatomy_of
from profundus.protocols.tables import brings_tables
from profundus.records import Anatomy, Subject


def cohort_anatomy(outline: StudyOutline) -> Anatomy:
    """Return the anatomy of a cohort. Paths that follow the recorded motion need everybody's: it is read once, and only it is kept."""
    settings = outline.settings
    if not (is_osim(settings.model_file) or brings_tables(settings)):
        return anatomy_of(settings)
    return anatomy_of(replace(settings, subjects=tuple(_in_motion(outline))))


def _in_motion(outline: StudyOutline) -> Iterator[Subject]:
    """Yield the motion of everybody who can be read; who cannot fails when it is his turn."""
    for name in outline.people:
        try:
            (person,) = outline.sheet(name).read().subjects
        except InputError:
            continue
        bare = (
            replace(r, emg=r.angles, moments=None, truth=None, wire=None, velocities=None) for r in person.recordings
        )
        yield replace(person, recordings=tuple(bare), mvc=())


def same_anatomy(one: Anatomy, other: Anatomy) -> bool:
    """Return whether two anatomies have the same paths."""
    return all(
        len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))
        for ours, theirs in ((one.muscles, other.muscles), (_numbers(one), _numbers(other)))
    )


def _numbers(anatomy: Anatomy) -> list[NDArray[Any]]:
    paths = [array for spline in anatomy.paths for array in (spline.knots, spline.coefficients)]
    return paths + [
        array for several in anatomy.products for array in (several.low, several.high, several.coefficients)
    ]
