"""What decided the answer for a person whom a learned prior met: what narrowed each deep muscle down, and what stays open."""

from __future__ import annotations

import math
from collections.abc import Sequence

from profundus.records import DecidedRow, ParameterRow, TradeOff
from profundus.report.content import SubjectContent
from profundus.report.verdict import NUISANCES
from profundus.report.words import escaped, joined, muscle_name, percent, significant

TO_THE_EDGE = 1.6448536269514722  # standard deviations from the middle of a 90 % band to its edge
LEVEL = "excitation_level"
MOST_PAIRS = 5
WIDEST = 1.08  # times the widest bar: where the picture ends
APART = 0.3  # of half the picture, between ticks
TICKS = (1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
UNKNOWNS = {  # more of it, less of it, and its name in the table
    "max_isometric_force": ("more force", "less force", "max isometric force"),
    "optimal_fiber_length": ("a longer fiber", "a shorter fiber", "optimal fiber length"),
    "tendon_slack_length": ("a longer tendon", "a shorter tendon", "tendon slack length"),
    "pennation_at_optimal": ("more pennation", "less pennation", "pennation at optimal fiber length"),
    "electromechanical_delay": ("a longer delay", "a shorter delay", "electromechanical delay"),
    "excitation level": ("more excitation", "less excitation", ""),
    "shape_factor": ("a more linear activation", "a less linear activation", "shape factor"),
    "time_constant": ("a slower activation", "a faster activation", "time constant"),
}  # fmt: skip


def decided_block(subject: SubjectContent) -> str:
    """Return pictures, trade-offs and what the moments moved; empty for a person on whom networks were trained."""
    if not subject.decided:
        return ""
    end = WIDEST * max(_spread_of(row.motion_sd) for row in subject.decided)
    pictures = "".join(_picture(row, max(end, math.log(1.3))) for row in subject.decided)
    pairs = [trade_off_words(pair) for pair in subject.trade_offs[:MOST_PAIRS]]
    listed = "".join(f"<li>{escaped(pair)}</li>" for pair in pairs)
    told = f'<h3 class="apart">What the moment cannot tell apart</h3><ul class="plain">{listed}</ul>' if pairs else ""
    own = [row for row in subject.parameters if row.parameter not in NUISANCES]
    moved = f'<p class="note">{escaped(_moved_words(own))}</p>' if own else ""
    return f'<div class="narrowings">{pictures}</div>{told}{moved}'


def factor_words(sd: float) -> str:
    """Return how wide a log excitation of this standard deviation is: the factor up or down that 90 % of the doubt lie within."""
    factor = math.exp(_spread_of(sd))
    return f"{significant(factor, 3 if factor < 10 else 2)}"


def trade_off_words(pair: TradeOff) -> str:
    """Return in a physiologist's words what makes up for what."""
    first, second = _unknown(pair.first), _unknown(pair.second)
    other = second[2 if pair.correlation > 0 else 3]
    of = f" of {second[0]}" if second[0] and second[0] != first[0] else ""
    owner = f" of {first[0]}" if first[0] else ""
    said = f"{first[2]}{owner}{_named(first[1])} makes up for {other}{of}{_named(second[1])}"
    number = f"{pair.correlation:.2f}".replace("-", "−")
    return f"{said[0].upper()}{said[1:]}: correlation {number}."


def level_words(row: ParameterRow) -> str:
    """Return what is known of the level of a muscle without an electrode; the prior's answer to it is kept."""
    left, prior = factor_words(row.posterior_sd), factor_words(row.prior_sd)
    return f"held at the prior's answer (known within a factor of {prior}); the moment alone would leave {left}"


def _picture(row: DecidedRow, end: float) -> str:
    rows = (
        ("motion and load alone", row.motion_sd, row.level_motion_sd),
        ("+ moments", row.moments_sd, math.nan),
        ("+ envelopes", row.envelopes_sd, math.nan),
        ("all of them", row.all_sd, row.level_all_sd),
    )
    bars = "".join(_bar(name, sd, level, end) for name, sd, level in rows)
    kept: list[float] = []
    for value in TICKS:
        if APART * end <= math.log(value) - math.log(kept[-1] if kept else 1.0) and math.log(value) < 0.97 * end:
            kept.append(value)
    marks = [(value, f"×{value:g}") for value in kept] + [(1 / value, f"÷{value:g}") for value in kept] + [(1.0, "1")]
    scale = "".join(f'<i style="--x:{_place(math.log(value), end):.1f}">{text}</i>' for value, text in marks)
    return (
        f'<figure class="narrowing"><figcaption>{escaped(muscle_name(row.muscle))}</figcaption><p>{escaped(_summary(row))}</p>'
        f'{bars}<div class="bar-row scale" aria-hidden="true"><span></span><span class="track">{scale}</span><span></span></div></figure>'
    )


def _summary(row: DecidedRow) -> str:
    course = [math.sqrt(max(0.0, whole**2 - level**2)) for whole, level in _parts(row)]
    level = f"Its level within a factor of {factor_words(row.level_all_sd)} (was {factor_words(row.level_motion_sd)})"
    when = f"its time course within {factor_words(course[1])} (was {factor_words(course[0])})"
    deciders = "Envelopes, moments and calibrations" if row.calibrated else "Envelopes and moments"
    return (
        f"Within a factor of {factor_words(row.all_sd)} up or down, 90\u202f% sure. {deciders} decided "
        f"{percent(row.share)} of the variance that motion and load leave. {level}, {when}."
    )


def _parts(row: DecidedRow) -> Sequence[tuple[float, float]]:
    return (row.motion_sd, row.level_motion_sd), (row.all_sd, row.level_all_sd)


def _bar(name: str, sd: float, level_sd: float, end: float) -> str:
    reach = _place(_spread_of(sd), end) - 50.0
    inner = _place(_spread_of(level_sd), end) - 50.0 if math.isfinite(level_sd) else 0.0
    level = f"; level alone {factor_words(level_sd)}" if math.isfinite(level_sd) else ""
    return (
        f'<div class="bar-row"><span>{name}</span><span class="track" style="--w:{2 * reach:.1f};--l:{2 * inner:.1f}" '
        f'title="within a factor of {factor_words(sd)}{level}"></span><span>×÷\u2009{factor_words(sd)}</span></div>'
    )


def _place(log_factor: float, end: float) -> float:
    """Return where a log factor stands, in percent of the picture's width."""
    return 50.0 + 50.0 * min(1.0, max(-1.0, log_factor / end))


def _spread_of(sd: float) -> float:
    return TO_THE_EDGE * sd


def _moved_words(rows: Sequence[ParameterRow]) -> str:
    moved = [row for row in rows if row.moved_by_data]
    stuck = [f"{row.muscle} {row.parameter.replace('_', ' ')}".strip() for row in rows if row.at_bound]
    bound = (
        f"At a bound, where the model would go further if it might: {joined(stuck)}."
        if stuck
        else "None sits at a bound."
    )
    return f"The moments narrowed {len(moved)} of {len(rows)} parameters; the others are what the prior says. {bound} See the table below."


def _unknown(name: str) -> tuple[str, str, str, str]:
    """Return an unknown's muscle (may be empty), its name in the table (may be empty), and the words for more and for less of it."""
    for key, (more, less, title) in UNKNOWNS.items():
        if name == key or name.endswith(f" {key}"):
            return name.removesuffix(key).strip(), title, more, less
    return "", "", f"more of {name.replace('_', ' ')}", f"less of {name.replace('_', ' ')}"


def _named(title: str) -> str:
    return f" ({title})" if title else ""
