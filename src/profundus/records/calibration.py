"""What pins the amplitude of a muscle without an electrode, and what it left open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["trial", "dominant", "ratio"]


@dataclass(frozen=True)
class Calibration:
    """One statement about the amplitude of a deep ``muscle``.

    ``kind`` "trial": its envelope was recorded in ``trial``; "dominant": in ``trial``, a maximal contraction, it does most of the work;
    "ratio": its mean excitation is ``ratio`` times (``sd``, a standard deviation) that of the measured muscle ``to``. Holds for one
    ``subject``, or for everybody where that is empty.
    """

    muscle: str
    kind: Kind
    trial: str = ""
    ratio: float = float("nan")
    sd: float = float("nan")
    to: str = ""
    subject: str = ""

    @property
    def source(self) -> str:
        """Return in words where the statement comes from."""
        words = {"trial": f"wire in {self.trial}", "dominant": f"maximal contraction {self.trial}"}
        return words.get(self.kind, f"ratio to {self.to}")


@dataclass(frozen=True)
class Observation:
    """What one calibration says: the log of the factor from the learned prior's answer to ``muscle``'s excitation, and its sd."""

    muscle: str
    source: str
    level: float
    sd: float


@dataclass(frozen=True)
class CalibratedRow:
    """How calibrations moved one muscle: sd of its log level before (``prior_sd``) and after (``sd``), and the ``shift`` between the two.

    ``observations`` are what was heard of it; ``left_out`` says why other calibrations of it could not be used.
    """

    muscle: str
    prior_sd: float
    shift: float
    sd: float
    observations: tuple[Observation, ...] = ()
    left_out: tuple[str, ...] = ()
