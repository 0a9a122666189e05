"""Which recording would tell most about the deep muscles of a person, before he has made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WORTH_TELLING = 0.005  # share of a band
UNTRIED = "no trial to fit has a joint moment, or the muscles can do none"


@dataclass(frozen=True)
class AdviceRow:
    """What one more ``recording`` would do for one muscle without an electrode.

    ``kind``: a "wire" in ``of``, a "dominant" contraction of it, or an extra "trial" (``motion``, ``load_kg``, ``reach``: which part of the
    range). ``rank`` 1 narrows the bands most; ``share`` is what it leaves of all muscles' bands (geometric mean). ``level_sd`` is the sd of
    the log level, ``band`` the mean width of the 90 % band, a fraction of maximum; both expected, over the person's trials to fit.
    """

    rank: int
    subject: str
    kind: Literal["wire", "dominant", "trial"]
    recording: str
    of: str
    motion: str
    load_kg: float
    reach: str
    share: float
    muscle: str
    level_sd_before: float
    level_sd_after: float
    band_before: float
    band_after: float

    @property
    def left(self) -> float:
        """Return what is left of the muscle's band, as a share."""
        return self.band_after / self.band_before


@dataclass(frozen=True)
class Advice:
    """Ranked recordings for one person, a row a recording and muscle; ``left_out`` are trials that he could not do.

    ``untried`` says why no extra trial was tried, where none was.
    """

    subject: str
    rows: tuple[AdviceRow, ...]
    left_out: tuple[str, ...] = ()
    untried: str = ""

    def best(self, kind: str = "") -> AdviceRow | None:
        """Return the first row of the best recording, of a kind where one is named; None where there is none."""
        return next((row for row in self.rows if kind in ("", row.kind)), None)

    @property
    def summary(self) -> str:
        """Return in two sentences what is worth recording, and what is not."""
        best, trial = self.best(), self.best("trial")
        if best is None:
            return f"{self.subject}: no muscle is without an electrode: nothing to advise."
        own = next(row for row in self.rows if row.rank == best.rank and row.muscle in (best.of or row.muscle))
        first = f"{self.subject}: best is {best.recording}: it narrows the band of {own.muscle} to {own.left:.0%}"
        first += f", those of all deep muscles to {best.share:.0%}." if len(self.muscles) > 1 else "."
        if trial is None:
            return f"{first} No extra trial was tried: {self.untried or UNTRIED}."
        most = 1.0 - min(row.left for row in self.rows if row.kind == "trial")
        nothing = "No load or motion narrows a band" + (f" by more than {most:.0%}" if most >= WORTH_TELLING else "")
        return f"{first} {nothing}; the best of them, {trial.recording}, leaves {trial.share:.0%}."

    @property
    def muscles(self) -> tuple[str, ...]:
        """Return the muscles that the advice is about."""
        return tuple(dict.fromkeys(row.muscle for row in self.rows))
