"""What is said when a mark of a person is extreme: the number, what people have, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profundus.model.balance import USUAL_LEAD_S


@dataclass(frozen=True)
class Words:
    """How an extreme mark is told: ``says`` with {value}, {people} and {lead} (of envelopes [ms]), as it is or as a factor of its ``log``,
    and what to do.

    ``ends`` are those of the range that are suspicious.
    """

    flag: str
    says: str
    remedy: str
    log: bool = False
    ends: tuple[bool, bool] = (True, True)

    def sentence(self, value: float, low: float, high: float, *, lead: float) -> str:
        """Return a mark and the bounds of people's, in words; ``lead`` [s] is that of the envelopes."""
        told = [f"{np.exp(v) if self.log else v:.3g}" for v in (value, low, high)]
        words = {
            (True, True): f"{told[1]} to {told[2]}",
            (True, False): f"at least {told[1]}",
            (False, True): f"at most {told[2]}",
        }
        said = self.says.format(value=told[0], people=words[self.ends], lead=f"{1000.0 * lead:.0f}")
        return f"{said}. {self.remedy}"


_USUAL_LEAD_MS = " to ".join(f"{1000.0 * end:.0f}" for end in USUAL_LEAD_S)
_LOADS = "Check the stated loads and the units of the moments"
_LOW, _HIGH = (True, False), (False, True)
WORDS = {
    "moment_sign": Words(
        "moment_sign",
        "the cosine between the moment and what the envelopes' muscles make is {value}, people have {people}",
        "Check the sign of the moments and which electrode is whose",
        ends=_LOW,
    ),
    "delay": Words(
        "delay",
        "envelopes lead the moment by about {lead} ms; "
        f"were it {_USUAL_LEAD_MS} ms, it would be explained {{value}} times worse, in people {{people}}",
        "Check how EMG and motion were synchronized",
        log=True,
        ends=_HIGH,
    ),
    "electrode_swap": Words(
        "electrode_swap",
        "with electrodes exchanged the moment would be explained {value} times better, people have {people}",
        "Check which electrode is on which muscle",
        log=True,
        ends=_HIGH,
    ),
    "strength": Words(
        "strength",
        "the muscles are {value} times as strong as generic ones, people's {people} times",
        "Check the maximal contractions, and the units of the moments",
        log=True,
    ),
    "load_limb": Words(
        "load", "without load the moment is {value} N.m x sin(angle), people's {people}", _LOADS
    ),
    "load_per_kg": Words(
        "load", "a stated kg brings {value} N.m x sin(angle), in people {people}", _LOADS
    ),
    "load_trial": Words(
        "load", "the moment of one trial shows a load that is {value} kg off the stated one, people have {people} kg", _LOADS,
        ends=_HIGH,
    ),
    "load": Words(
        "load",
        "moments and envelopes go together as if the load were stated {value} kg too high in all trials, people have {people} kg",
        _LOADS,
    ),
    "electrode_gain": Words(
        "electrode_gain",
        "one electrode shows a level that is off by a factor of {value}, given all others; people have {people}",
        "Check its maximal contraction and its place",
        log=True,
        ends=_HIGH,
    ),
    "strategy": Words(
        "strategy",
        "muscles are used together in a way {value} standard deviations from usual, people have {people}",
        "The answer rests on people who do not work like this one; look at the envelopes",
        ends=_HIGH,
    ),
    "envelope_noise": Words(
        "envelope_noise",
        "log envelopes jump by {value} from sample to sample at 10 Hz, people's by {people}",
        "Check how envelopes were made: rectified, low-passed near 6 Hz",
        log=True,
    ),
}  # fmt: skip
