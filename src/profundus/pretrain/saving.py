"""A training in progress as named arrays, and back, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from profundus.model.trees import filled, leaves
from profundus.pretrain.learning import Course

Arrays = dict[str, NDArray[Any]]
AGAIN = "Start over with --overwrite"


def course_to_arrays(course: Course) -> Arrays:
    """Return a training in progress as arrays."""
    return {
        **leaves("network", course.network),
        **leaves("mean", course.mean),
        **leaves("optimizer", course.optimizer),
        "step": np.asarray(course.step),
        "history": course.history,
    }


def course_from_arrays(arrays: Mapping[str, NDArray[Any]], like: Course, *, file: str) -> Course:
    """Return the training that was saved; ``like`` is one of the same recipe that has not begun. FileFormatError where it does not fit."""
    return Course(
        filled("network", like.network, arrays, file=file, remedy=AGAIN),
        filled("mean", like.mean, arrays, file=file, remedy=AGAIN),
        filled("optimizer", like.optimizer, arrays, file=file, remedy=AGAIN),
        jnp.asarray(arrays["step"]),
        np.asarray(arrays["history"]),
    )
