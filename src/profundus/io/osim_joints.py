"""The joints of an OpenSim model as its file has them: which coordinates turn, which slide, and which bodies there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from profundus.errors import FileFormatError, Problem
from profundus.io.xml import parse_xml

MotionType = Literal["rotational", "translational", "coupled"]
ROTATIONS: dict[str, int] = {
    **dict.fromkeys(("PinJoint", "PlanarJoint"), 1),
    **dict.fromkeys(("UniversalJoint",), 2),
    **dict.fromkeys(("BallJoint", "GimbalJoint", "EllipsoidJoint", "FreeJoint"), 3),
    **dict.fromkeys(("ScapulothoracicJoint",), 4),
}
"""How many of a joint's coordinates turn; they come first, the others slide."""


@dataclass(frozen=True)
class JointCoordinate:
    """A coordinate, its joint, and whether it is an angle [rad], a distance [m], or neither to OpenSim (coupled); ``default`` [rad, m]."""

    name: str
    joint: str
    motion_type: MotionType
    default: float = 0.0


@dataclass(frozen=True)
class Joints:
    """Coordinates and bodies of a model, in file order."""

    coordinates: tuple[JointCoordinate, ...]
    bodies: tuple[str, ...]

    @property
    def joint_of(self) -> dict[str, str]:
        """Return {coordinate: its joint}."""
        return {one.name: one.joint for one in self.coordinates}

    @property
    def motion_types(self) -> dict[str, MotionType]:
        """Return {coordinate: motion type}."""
        return {one.name: one.motion_type for one in self.coordinates}


def read_joints(path: str | Path) -> Joints:
    """Return the joints of an .osim file.

    Raises MissingFileError, UnsafeInputError, and FileFormatError for a file that holds no model with coordinates.
    """
    model = model_element(parse_xml(path), str(path))
    parts = [inner for child in model if child.tag != "defaults" for inner in child.iter()]
    found = [one for part in parts if part.tag.endswith("Joint") and part.get("name") for one in _coordinates(part)]
    if not found:
        raise FileFormatError(Problem("error", "the model has no coordinate", str(path), expected="joints that move"))
    bodies = tuple(part.get("name", "") for part in parts if part.tag == "Body" and part.get("name") != "ground")
    return Joints(tuple(found), bodies)


def model_element(root: Element, file: str) -> Element:
    """Return the element of the model in an OpenSim document. Raises FileFormatError where there is none."""
    model = root if root.tag == "Model" else root.find("Model")
    if model is None:
        raise FileFormatError(
            Problem("error", "holds no OpenSim model", file, expected="an OpenSimDocument with a Model")
        )
    return model


def _coordinates(joint: Element) -> Iterator[JointCoordinate]:
    """Yield the coordinates that a joint owns, in its order."""
    for index, one in enumerate(joint.iter("Coordinate")):
        name = one.get("name", "")
        if joint.tag == "CustomJoint":
            kind = _in_custom_joint(joint, name)
        else:
            kind = "rotational" if index < ROTATIONS.get(joint.tag, 0) else "translational"
        yield JointCoordinate(name, joint.get("name", ""), kind, _number(one.findtext("default_value", default="0")))


def _in_custom_joint(joint: Element, name: str) -> MotionType:
    """Return the motion type by OpenSim's own rule: that of an axis to which the coordinate is passed on unscaled, or coupled.

    As in ``CustomJoint.cpp`` of OpenSim 4: of several such axes the last counts.
    """
    kind: MotionType = "coupled"
    for index, axis in enumerate(joint.iter("TransformAxis")):
        linear = next(axis.iter("LinearFunction"), None)
        names = axis.findtext("coordinates", default="").split()
        if name in names and linear is not None and _slope(linear) in {1.0, -1.0}:
            kind = "rotational" if index < 3 else "translational"
    return kind


def _slope(linear: Element) -> float:
    numbers = linear.findtext("coefficients", default="1").split()
    return _number(numbers[0]) if numbers else 1.0


def _number(text: str) -> float:
    """Return a number of the file; what is none, OpenSim itself refuses."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
