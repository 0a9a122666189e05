"""What an OpenSim model file says of its muscles and coordinates, read without OpenSim."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from profundus.errors import FileFormatError, Problem
from profundus.io.osim_crossing import crossings
from profundus.io.osim_joints import ROTATIONS
from profundus.io.study_names import is_name, nearest_name, shown
from profundus.io.xml import parse_xml
from profundus.records import Anatomy, CoordinateRange

KNOWN_MUSCLES = ("Thelen2003Muscle", "Millard2012EquilibriumMuscle", "DeGrooteFregly2016Muscle")


@dataclass(frozen=True)
class CoordinateSketch:
    """A coordinate as the file has it: range and default [rad, m], whether it is locked or a translation, which others it follows."""

    name: str
    low: float
    high: float
    default: float
    locked: bool = False
    translation: bool = False
    follows: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSketch:
    """A model's muscles {name: class} and coordinates in file order, and its named groups {group: muscles}.

    ``crosses`` holds the coordinates on which a muscle's path may depend; muscles of which the file does not tell are not in it.
    """

    name: str
    file: str
    muscles: dict[str, str]
    coordinates: tuple[CoordinateSketch, ...]
    groups: dict[str, tuple[str, ...]]
    crosses: dict[str, frozenset[str]]

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Return the muscles that a name, a pattern (``*_l``) or the name of a group means."""
        if pattern in self.groups:
            return tuple(muscle for muscle in self.groups[pattern] if muscle in self.muscles)
        return tuple(muscle for muscle in self.muscles if fnmatchcase(muscle, pattern))

    def outline(self, muscles: Collection[str] | None = None, moving: Collection[str] = ()) -> Anatomy:
        """Return an anatomy with names and ranges alone: parameters are NaN, and there are no paths.

        With ``muscles`` it has these, and the coordinates that are ``moving`` or on which a path of theirs may depend.
        """
        names = tuple(name for name in self.muscles if muscles is None or name in muscles)
        unknown = np.full(len(names), np.nan)
        near = {*moving, *(name for muscle in names for name in self.leading(muscle))}
        if muscles is None:
            near = {c.name for c in self.coordinates}
        free = [
            CoordinateRange(c.name, c.low, c.high, c.default, translation=c.translation)
            for c in self.coordinates
            if c.name in near and not c.follows
        ]
        blank = ("",) * len(names)
        return Anatomy(self.name, names, tuple(free), blank, unknown, unknown, unknown, unknown, unknown, paths=())

    def leading(self, muscle: str) -> set[str]:
        """Return the coordinates that may move a muscle, those that lead others in place of these; all where the file does not tell."""
        follows = {c.name: c.follows for c in self.coordinates}
        crossed = self.crosses.get(muscle, frozenset(follows))
        return {leader for name in crossed for leader in follows.get(name) or (name,)}

    def unusable(self, moving: Collection[str], held: Collection[str]) -> list[Problem]:
        """Return an error for each coordinate that there is not, or that cannot be moved or held as asked."""
        known = {c.name: c for c in self.coordinates}
        problems = [
            Problem("error", f"there is no coordinate {name}", self.file, remedy=nearest_name(name, known))
            for name in dict.fromkeys((*moving, *held))
            if name not in known
        ]
        for name in (n for n in dict.fromkeys((*moving, *held)) if n in known):
            one = known[name]
            if name in moving and name in held:
                what, remedy = f"{name} is both moving and fixed", "Name it in one place only"
                problems.append(Problem("error", what, self.file, remedy=remedy))
            if one.follows:
                leaders = ", ".join(one.follows)
                what, remedy = f"{name} follows {leaders} in the model", f"Name {leaders} instead"
                problems.append(Problem("error", what, self.file, remedy=remedy))
            if one.locked and name in moving:
                what, remedy = f"{name} is locked in the model", "Unlock it there, or hold it (fixed)"
                problems.append(Problem("error", what, self.file, remedy=remedy))
            if one.translation and name in moving:
                what = f"{name} is a translation"
                problems.append(Problem("error", what, self.file, expected="coordinates that rotate"))
        return problems

    def strange_muscles(self, muscles: Collection[str]) -> list[Problem]:
        """Return an error for each muscle that there is not, or whose class is not known."""
        problems = []
        for name in muscles:
            if name not in self.muscles:
                remedy = nearest_name(name, self.muscles)
                problems.append(Problem("error", f"there is no muscle {name}", self.file, remedy=remedy))
            elif self.muscles[name] not in KNOWN_MUSCLES:
                what, expected = f"{name} is a {self.muscles[name]}", "one of " + ", ".join(KNOWN_MUSCLES)
                remedy = "Convert it in OpenSim, or leave it out"
                problems.append(Problem("error", what, self.file, expected=expected, remedy=remedy))
        return problems


def is_osim(model: str) -> bool:
    """Return whether a study's ``model`` is a file of OpenSim's."""
    return model.lower().endswith(".osim")


def read_sketch(path: str | Path) -> ModelSketch:
    """Return what an .osim file (any version) says of muscles, coordinates and groups.

    Raises as `parse_xml`, and FileFormatError for a file that is no model or has no muscles, coordinates or readable ranges.
    """
    root = parse_xml(path)
    model = root if root.tag == "Model" else root.find("Model")
    if root.tag not in {"OpenSimDocument", "Model"} or model is None:
        what = f"is no OpenSim model: its root is <{shown(root.tag)[1:-1]}>"
        raise FileFormatError(Problem("error", what, str(path), expected="<OpenSimDocument> with a <Model>"))
    for defaults in model.findall("defaults"):
        model.remove(defaults)
    elements = {e.get("name", ""): e for e in model.iter() if _is_muscle(e)}
    muscles = {name: e.tag for name, e in elements.items()}
    coordinates = tuple(_coordinates(model, str(path)))
    problems = [
        Problem("error", f"{kind} is called {shown(name)}", str(path), expected="a name of letters, digits and '_'")
        for kind, names in (("a muscle", muscles), ("a coordinate", [c.name for c in coordinates]))
        for name in names
        if not is_name(name)
    ]
    for kind, found in (("muscles", muscles), ("coordinates", coordinates)):
        if not found:
            problems.append(Problem("error", f"the model has no {kind}", str(path)))
    if problems:
        raise FileFormatError(problems)
    name, crosses = model.get("name") or Path(path).stem, crossings(model, elements)
    return ModelSketch(name, str(path), muscles, coordinates, _groups(model), crosses)


def _is_muscle(element: Element) -> bool:
    tag = element.tag.removesuffix("_Deprecated")
    return tag.endswith("Muscle") and element.get("name") is not None


def _coordinates(model: Element, file: str) -> Iterator[CoordinateSketch]:
    leaders = dict(_couplers(model))
    axes = [(e.get("name", ""), _words(e, "coordinates")) for e in model.iter("TransformAxis")]
    sliding, turning = (
        {name for axis, names in axes if axis.startswith(kind) for name in names}
        for kind in ("translation", "rotation")
    )
    sliders = {
        c.get("name")
        for joint in model.iter()
        if joint.tag == "SliderJoint" or joint.tag in ROTATIONS
        for c in list(joint.iter("Coordinate"))[ROTATIONS.get(joint.tag, 0) :]
    }
    for element in model.iter("Coordinate"):
        name = element.get("name", "")
        low, high = _numbers(element, "range", (-np.inf, np.inf), file)
        (default,) = _numbers(element, "default_value", (0.0,), file)
        yield CoordinateSketch(
            name, low, high, default,
            locked=_is_true(element, "locked"),
            translation=name in sliding - turning or name in sliders,
            follows=leaders.get(name, ()),
        )  # fmt: skip


def _couplers(model: Element) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each coordinate that a CoordinateCouplerConstraint ties to others, and these."""
    for element in model.iter("CoordinateCouplerConstraint"):
        off = _is_true(element, "isDisabled") or (element.findtext("isEnforced") or "true").strip() == "false"
        dependent = (element.findtext("dependent_coordinate_name") or "").strip()
        if dependent and not off:
            yield dependent, _words(element, "independent_coordinate_names")


def _groups(model: Element) -> dict[str, tuple[str, ...]]:
    return {e.get("name", ""): _words(e, "members") for e in model.iter("ObjectGroup") if _words(e, "members")}


def _words(element: Element, key: str) -> tuple[str, ...]:
    return tuple((element.findtext(key) or "").split())


def _is_true(element: Element, key: str) -> bool:
    return (element.findtext(key) or "").strip().lower() == "true"


def _numbers(element: Element, key: str, default: tuple[float, ...], file: str) -> tuple[float, ...]:
    """Return the numbers of a property, or ``default`` where it is not there. Raises FileFormatError for what are not as many numbers."""
    words = _words(element, key)
    if not words:
        return default
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    if len(values) != len(default) or not np.all(np.isfinite(values)) or list(values) != sorted(values):
        what = f"coordinate {shown(element.get('name', ''))}: {key} is {shown(' '.join(words))}"
        raise FileFormatError(Problem("error", what, file, expected=f"{len(default)} numbers, the smaller first"))
    return values
