"""Musculoskeletal models and learned priors from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from profundus.records import Recipe

if TYPE_CHECKING:
    from profundus.model.musculoskeletal import MusculoskeletalModel
    from profundus.protocols.pretraining import PretrainProgress


def load_model(
    name: str | Path = "arm26",
    *,
    coordinates: Sequence[str] | None = None,
    fixed: Mapping[str, float] | None = None,
    muscles: Sequence[str] = (),
) -> MusculoskeletalModel:
    """Return a musculoskeletal model, shipped or of an .osim file, in which ``coordinates`` move and all others are ``fixed`` [rad].

    A file's muscles are those that are named, or all that cross a coordinate; their paths are sampled with OpenSim over the coordinates'
    ranges, the first time. A shipped model has all its muscles. Raises InputError for a model, coordinate, muscle or posture that there is
    not, and for a named muscle whose path cannot be followed closely.
    """
    from profundus.io.osim import is_osim
    from profundus.model.musculoskeletal import MusculoskeletalModel

    if is_osim(str(name)):
        from profundus.protocols.osim import loaded

        return MusculoskeletalModel(loaded(Path(name), coordinates=coordinates, fixed=fixed, muscles=muscles))
    from profundus.io.anatomy import read_anatomy

    shipped = read_anatomy(str(name))
    left_out = set(shipped.muscles) - set(muscles or shipped.muscles)
    anatomy = read_anatomy(str(name), ignored=left_out) if left_out else shipped
    return MusculoskeletalModel(anatomy, coordinates=coordinates, fixed=fixed)


def pretrain(
    recipe: Recipe | str | Path | None = None,
    *,
    out: str | Path,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[PretrainProgress], None] | None = None,
) -> Path:
    """Teach a network on virtual people; return the file of the prior, with its card beside it (``card.json``, ``card.md``, ``card.html``).

    ``recipe`` is the file of a recipe, or a Recipe, or None for the built-in one. People are made by ``workers`` processes that start
    Python anew: call this under ``if __name__ == "__main__":``. Raises InputError (recipe, folder), ResourceError (disk), ConvergenceError.
    """
    from profundus.io.recipe_file import read_recipe
    from profundus.pages.prior import write_prior_page
    from profundus.protocols.pretraining import pretrain as taught

    read = recipe if isinstance(recipe, Recipe) else read_recipe(None if recipe is None else Path(recipe))
    result = taught(read, Path(out), workers=workers, resume=resume, overwrite=overwrite, on_progress=on_progress)
    write_prior_page(result.path)
    return result.prior
