"""Read what a network is to be taught, and whom by: every key is checked, and every problem is told at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from profundus.errors import InputError, Problem
from profundus.io.anatomy import read_anatomy, shipped_models
from profundus.io.shipped import shipped_recipe
from profundus.io.study_names import nearest_name, shown
from profundus.io.study_text import Location, read_study_text
from profundus.io.study_types import Line, Names, Section, settings_of, within
from profundus.io.study_validation import validate
from profundus.io.virtual_lab import toml_text
from profundus.quantities import declared_quantities, out_of_range
from profundus.records import LearningSettings, Recipe, TeachersSettings
from profundus.records.virtual import FAMILIES, LIMB_FAMILIES, MOTIONS

DEFAULT = Recipe()
LOADS = 3  # of every laboratory
HEAVIEST_KG = 100.0
EMG_RATE_HZ = 2000.0
Found = tuple[Location, str, str, str]
"""Where something is wrong, what, what was expected, what to do."""


class RecipeFile(Section):
    """A recipe file; what it leaves out is as in the built-in recipe."""

    anatomy: Line = DEFAULT.anatomy
    seed: Annotated[int, within(declared_quantities(Recipe)["seed"])] = DEFAULT.seed
    study: Line | Literal[""] = DEFAULT.study
    data: Line | Literal[""] = DEFAULT.data
    electrodes: Names = DEFAULT.electrodes
    teachers: Annotated[TeachersSettings, settings_of(TeachersSettings)] = DEFAULT.teachers
    learning: Annotated[LearningSettings, settings_of(LearningSettings)] = DEFAULT.learning


SECTIONS: dict[str, type] = {"": RecipeFile, "teachers": TeachersSettings, "learning": LearningSettings}


def read_recipe(path: Path | None = None) -> Recipe:
    """Return the recipe of a file, or the built-in one. Raises InputError with every problem of the file."""
    text = read_study_text(path or shipped_recipe(DEFAULT.anatomy))
    file, problems, aside = validate(RecipeFile, text, sections=SECTIONS)
    if file is not None:
        recipe = Recipe(**{name: getattr(file, name) for name in RecipeFile.model_fields})
        if recipe.study:
            beside = Path(text.file).parent
            paths: dict[str, Any] = {
                name: str((beside / getattr(recipe, name)).resolve())
                for name in ("study", "data")
                if getattr(recipe, name)
            }
            recipe = replace(recipe, **paths)
        problems += [
            text.problem("error", what, at, expected=expected, remedy=remedy)
            for at, what, expected, remedy in _contradictions(recipe)
            if not any(key.startswith(".".join(map(str, at))) for key in aside)
        ]
        if not problems:
            return recipe
    raise InputError(problems)


def refuse_recipe(recipe: Recipe) -> None:
    """Raise InputError with everything that is wrong with a recipe that was not read from a file."""
    parts = {"": recipe, "teachers.": recipe.teachers, "learning.": recipe.learning}
    problems = [
        Problem("error", f"{name}{problem.what}", expected=problem.expected)
        for name, part in parts.items()
        for problem in out_of_range(part)
    ]
    if not problems:
        problems = [
            Problem("error", what, "", None, expected, remedy) for _, what, expected, remedy in _contradictions(recipe)
        ]
    if problems:
        raise InputError(problems)


def recipe_text(recipe: Recipe) -> str:
    """Return a recipe as the text of a file that says every key; reading it gives the same recipe."""
    return toml_text(_listed(asdict(recipe)))


def differing(one: Recipe, other: Recipe) -> tuple[str, ...]:
    """Return the keys whose values are not the same, as they are written: ``teachers.people``."""
    keys = [
        name for name in RecipeFile.model_fields if name not in SECTIONS and getattr(one, name) != getattr(other, name)
    ]
    for section in ("teachers", "learning"):
        mine, theirs = getattr(one, section), getattr(other, section)
        keys += [f"{section}.{f.name}" for f in fields(mine) if getattr(mine, f.name) != getattr(theirs, f.name)]
    return tuple(keys)


def _contradictions(recipe: Recipe) -> Iterator[Found]:
    """Yield what each key allows and all of them together do not."""
    yield from _anatomy(recipe)
    yield from _teachers(recipe.teachers, (*FAMILIES, *LIMB_FAMILIES) if recipe.study else FAMILIES)
    own = recipe.learning
    if own.width % own.heads:
        what = f"learning.width is {own.width}, which {own.heads} heads cannot share"
        yield ("learning", "width"), what, f"a multiple of learning.heads ({own.heads})", ""
    families = recipe.teachers.families
    for name in own.without:
        if name not in families:
            what = f"learning.without: no people have a control strategy called {shown(name)}"
            yield ("learning", "without"), what, "", nearest_name(name, families)
    if own.without and set(own.without) >= set(families):
        yield ("learning", "without"), "learning.without leaves nobody to learn from", "fewer than all families", ""


def _anatomy(recipe: Recipe) -> Iterator[Found]:
    if recipe.study:
        return  # the study says which model
    if recipe.anatomy not in shipped_models():
        remedy = nearest_name(recipe.anatomy, shipped_models())
        yield ("anatomy",), f"anatomy is {shown(recipe.anatomy)}", "a model that is shipped", remedy
        return
    muscles = read_anatomy(recipe.anatomy).muscles
    unknown = [name for name in recipe.electrodes if name not in muscles]
    for name in unknown:
        what = f"electrodes: {recipe.anatomy} has no muscle {shown(name)}"
        yield ("electrodes",), what, "", nearest_name(name, muscles)
    known = set(recipe.electrodes)
    if not unknown and not 0 < len(known) == len(recipe.electrodes) < len(muscles):
        what = f"electrodes are on {', '.join(recipe.electrodes) or 'no muscle'}"
        yield ("electrodes",), what, "each once, on one muscle or more, but not on all", ""


def _teachers(own: TeachersSettings, known: tuple[str, ...]) -> Iterator[Found]:
    for name in own.families:
        if name not in known:
            what = f"teachers.families: no control strategy is called {shown(name)}"
            yield ("teachers", "families"), what, "", nearest_name(name, known)
    if not own.families or len(set(own.families)) < len(own.families):
        yield ("teachers", "families"), f"teachers.families is {list(own.families)}", "one or more, each once", ""
    for name in dict.fromkeys(name for kind in own.kinds for name in kind if name not in MOTIONS):
        what = f"teachers.kinds: no motion is called {shown(name)}"
        yield ("teachers", "kinds"), what, "", nearest_name(name, MOTIONS)
    if len({len(kind) for kind in own.kinds}) != 1 or not all(own.kinds):
        what = f"teachers.kinds have {', '.join(str(len(kind)) for kind in own.kinds) or 'no'} trials"
        yield ("teachers", "kinds"), what, "one kind or more, each of as many trials as the others", ""
    shares = own.kinds_share
    if len(shares) != len(own.kinds) or any(share < 0 for share in shares) or not sum(shares) > 0:
        what = f"teachers.kinds_share is {list(shares)}"
        yield ("teachers", "kinds_share"), what, f"a share of 0 or more for each of the {len(own.kinds)} kinds", ""
    yield from _loads(own)
    if EMG_RATE_HZ % own.rate_hz:
        what = f"teachers.rate_hz is {own.rate_hz:g}"
        yield ("teachers", "rate_hz"), what, f"a divisor of {EMG_RATE_HZ:g} Hz, the rate of EMG", ""
    if own.people < 2 * own.block:
        what = f"teachers.people is {own.people}, less than two blocks of {own.block}"
        yield ("teachers", "people"), what, "one block or more to teach, and one to judge by", ""


def _loads(own: TeachersSettings) -> Iterator[Found]:
    loads, mixed = own.loads_kg, own.other_loads_share > 0
    if not all(0 <= load <= HEAVIEST_KG for load in loads or (-1,)) or len(set(loads)) < len(loads):
        what = f"teachers.loads_kg is {list(loads)}"
        yield ("teachers", "loads_kg"), what, f"loads of 0 to {HEAVIEST_KG:g} kg, each once", ""
    elif mixed and len(loads) != LOADS:
        what = f"teachers.loads_kg are {len(loads)}, while laboratories with other loads have {LOADS}"
        yield ("teachers", "loads_kg"), what, f"{LOADS} loads, or other_loads_share = 0", ""
    if mixed and own.other_loads_most < 0.5 * (LOADS - 1):
        what = f"teachers.other_loads_most is {own.other_loads_most:g} kg"
        yield (
            ("teachers", "other_loads_most"),
            what,
            f"{0.5 * (LOADS - 1):g} kg or more: {LOADS} loads in steps of 0.5 kg",
            "",
        )


def _listed(values: dict[str, object]) -> dict[str, object]:
    """Return values with tuples as lists."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return _listed(value)
        return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value

    return {name: plain(value) for name, value in values.items()}
