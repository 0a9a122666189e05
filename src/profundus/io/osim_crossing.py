"""Which coordinates a muscle can cross: those of the joints between the bodies on which its path lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

GROUND = "ground"


def crossings(model: Element, muscles: Mapping[str, Element]) -> dict[str, frozenset[str]]:
    """Return {muscle: coordinates that its path may depend on}, without muscles whose bodies and joints cannot be followed.

    Coordinates that a coupler ties to others count as those that lead them, as far as the caller knows of them.
    """
    frames = _frames(model)
    parents: dict[str, tuple[str, frozenset[str]]] = {}
    for child, parent, coordinates in _joints(model, frames):
        parents[child] = (parent, coordinates)
    found = {}
    for name, muscle in muscles.items():
        bodies = {_body(text, frames) for tag in ("socket_parent_frame", "body") for text in _texts(muscle, tag)}
        ways = [_way(body, parents) for body in bodies]
        passed = [way for way in ways if way is not None]
        if not ways or len(passed) < len(ways):
            continue
        shared = frozenset.intersection(*(frozenset(way) for way in passed))
        found[name] = frozenset(c for way in passed for joint, own in way.items() if joint not in shared for c in own)
    return found


def _way(body: str, parents: Mapping[str, tuple[str, frozenset[str]]]) -> dict[str, frozenset[str]] | None:
    """Return the joints {child body: coordinates} from a body down to the ground, None where it does not get there."""
    way: dict[str, frozenset[str]] = {}
    while body != GROUND:
        if body not in parents or body in way:
            return None
        parent, coordinates = parents[body]
        way[body] = coordinates
        body = parent
    return way


def _joints(model: Element, frames: dict[str, str]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield child body, parent body and coordinates of every joint; in older files a joint stands inside its child."""
    inside = {
        id(joint): body.get("name", "") for body in model.iter("Body") for joint in body.iter() if _is_joint(joint)
    }
    for joint in model.iter():
        if not _is_joint(joint):
            continue
        coordinates = frozenset(c.get("name", "") for c in joint.iter("Coordinate"))
        local = frames | _frames(joint)
        parent = next(_texts(joint, "parent_body"), None) or _last(joint, "socket_parent_frame")
        child = inside.get(id(joint)) or _last(joint, "socket_child_frame")
        yield _body(child, local), _body(parent, local), coordinates


def _is_joint(element: Element) -> bool:
    return element.tag.endswith("Joint") and element.get("name") is not None


def _last(joint: Element, tag: str) -> str:
    return (joint.findtext(tag) or "").strip()


def _frames(element: Element) -> dict[str, str]:
    """Return {offset frame: the frame on which it stands}."""
    return {f.get("name", ""): next(_texts(f, "socket_parent"), "") for f in element.iter("PhysicalOffsetFrame")}


def _body(path: str, frames: Mapping[str, str]) -> str:
    """Return the body on which a frame (``/bodyset/femur_r``, ``femur_offset``) stands in the end."""
    name = path.strip().rsplit("/", 1)[-1]
    for _ in range(len(frames)):
        if name not in frames:
            break
        name = frames[name].rsplit("/", 1)[-1]
    return name


def _texts(element: Element, tag: str) -> Iterator[str]:
    return (text.strip() for one in element.iter(tag) if (text := one.text) and text.strip())
