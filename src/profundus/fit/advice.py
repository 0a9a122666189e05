"""How wide the bands of deep muscles would be after one more recording, and which recording narrows them most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from profundus.fit.calibration import BEST_S, Answered, Levels, conditioned, dominant_noise, mean_noise, wire_noise
from profundus.model.deep_posterior import WindowPosterior
from profundus.records import AdviceRow

Floats = NDArray[np.float64]
Heard = Sequence[tuple[int, float, float]]
NINETY_PERCENT = 1.6448536269514722
QUARTERS = norm.ppf((0.125, 0.375, 0.625, 0.875))  # equally probable places of what a recording will say


class Outlook(NamedTuple):
    """Expected sd of the log level and mean width of the 90 % band, both (muscle,)."""

    level_sd: Floats
    band: Floats


@dataclass(frozen=True)
class Recording:
    """Something that could be recorded, in words and by its parts; ``of`` names the muscle of a wire or a dominant contraction."""

    kind: Literal["wire", "dominant", "trial"]
    words: str
    of: str = ""
    motion: str = ""
    load_kg: float = float("nan")
    reach: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of a person's levels: their ``correlation`` (muscle, muscle) and what calibrations said (muscle's index, level, sd)."""

    correlation: Floats
    heard: Heard = ()

    def levels(self, level_sd: Floats, *more: tuple[int, float, float]) -> Levels:
        """Return the levels after all calibrations, and after ``more`` of them."""
        return conditioned(level_sd, self.correlation, [*self.heard, *more])


def outlook(
    answer: WindowPosterior, valid: NDArray[np.bool_], levels: Levels, *, surprise: Floats | float = 0.0
) -> Outlook:
    """Return sd and band of an answer to windows whose samples are ``valid`` (window, sample).

    ``surprise`` (muscle,) is the sd of how far a recording yet to be made will move the level: a higher answer has a wider band.
    """
    middle, course = answer.middle[valid] + levels.shift, answer.course_sd[valid]
    sd = NINETY_PERCENT * np.hypot(course, levels.sd)
    widths = [
        np.mean(np.exp(np.minimum(moved + sd, 0.0)) - np.exp(np.minimum(moved - sd, 0.0)), axis=0)
        for moved in (middle + place * surprise for place in QUARTERS)
    ]
    return Outlook(levels.sd, np.mean(widths, axis=0))


def pinned(answer: WindowPosterior, valid: NDArray[np.bool_], known: Known, muscle: int, noise: float) -> Outlook:
    """Return the outlook after the level of a muscle was observed with ``noise`` (sd of a log)."""
    before, after = known.levels(answer.level_sd), known.levels(answer.level_sd, (muscle, 0.0, noise))
    surprise = np.sqrt(np.maximum(before.sd**2 - after.sd**2, 0.0))
    return outlook(answer, valid, Levels(before.shift, after.sd), surprise=surprise)


def pins(person: Answered) -> tuple[tuple[Recording, int, float], ...]:
    """Return, for every muscle without an electrode, a wire in the load where it tells most, and a maximal contraction.

    Each with the muscle's index and the noise of the level that it would tell (sd of a log).
    """
    found: list[tuple[Recording, int, float]] = []
    for muscle in np.flatnonzero(~person.measured):
        name = person.trials[0].muscles[muscle]
        noise, best = min((wire_noise(person, n, int(muscle)), n) for n in person.usual)
        load = person.trials[best].load_kg
        beside = f" with {load:g} kg" if np.isfinite(load) else ""
        words = f"a wire in {name}, in a trial like {person.trials[best].name}{beside}"
        found.append((Recording("wire", words, of=name, load_kg=load), int(muscle), noise))
        words = f"a maximal contraction that {name} dominates"
        noise = dominant_noise(person, int(muscle), _course(person, int(muscle)))
        found.append((Recording("dominant", words, of=name), int(muscle), noise))
    return tuple(found)


def ranked(
    tried: Sequence[tuple[Recording, Outlook]],
    before: Outlook,
    muscles: tuple[str, ...],
    deep: Sequence[int],
    subject: str,
) -> tuple[AdviceRow, ...]:
    """Return a row for every recording and deep muscle, that first which narrows the bands most (geometric mean over muscles)."""
    places = list(deep)
    shares = [float(np.exp(np.mean(np.log(after.band[places] / before.band[places])))) for _, after in tried]
    rows = []
    for rank, place in enumerate(np.argsort(shares, kind="stable"), start=1):
        recording, after = tried[place]
        for muscle in places:
            rows.append(
                AdviceRow(
                    rank=rank,
                    subject=subject,
                    kind=recording.kind,
                    recording=recording.words,
                    of=recording.of,
                    motion=recording.motion,
                    load_kg=recording.load_kg,
                    reach=recording.reach,
                    share=shares[place],
                    muscle=muscles[muscle],
                    level_sd_before=float(before.level_sd[muscle]),
                    level_sd_after=float(after.level_sd[muscle]),
                    band_before=float(before.band[muscle]),
                    band_after=float(after.band[muscle]),
                )
            )
    return tuple(rows)


def _course(person: Answered, muscle: int) -> float:
    """Return the sd of a mean over half a second of a course's error, as large as it is on average."""
    sd = float(np.sqrt(np.mean([np.mean(answer.course_sd[:, muscle] ** 2) for answer in person.answers])))
    step = person.trials[0].step
    rows = max(round(BEST_S / step), 1)
    return mean_noise(np.full(rows, 1.0 / rows), np.full(rows, sd), float(person.memory[muscle]), step=step)
