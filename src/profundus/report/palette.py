"""One color a muscle: the hue tells its functional group, the shade its place in it; readable by color-blind eyes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FLEXORS, EXTENSORS = "#0b5fa5", "#c2510c"
OTHERS = ("#1b7f6b", "#7d4a9e", "#7a6a00", "#8c2f4b")
LIGHTEST = 0.42


def muscle_colors(muscles: Iterable[str], groups: Mapping[str, str], deep: Iterable[str] = ()) -> dict[str, str]:
    """Return ``{muscle: #rrggbb}``; a group's deep muscles take its full hue, the others lighter shades."""
    deep = tuple(deep)
    members: dict[str, list[str]] = {}
    for muscle in muscles:
        members.setdefault(groups.get(muscle, ""), []).append(muscle)
    spare = iter(OTHERS * (1 + len(members)))
    colors = {}
    for group, names in members.items():
        hue = FLEXORS if "flex" in group.lower() else EXTENSORS if "exten" in group.lower() else next(spare)
        ordered = sorted(names, key=lambda name: name not in deep)
        for place, name in enumerate(ordered):
            colors[name] = _lighter(hue, LIGHTEST * place / max(1, len(ordered) - 1))
    return colors


def _lighter(color: str, share: float) -> str:
    channels = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(value + (255 - value) * share):02x}" for value in channels)
