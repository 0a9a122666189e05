"""Do the bands of a comparison hold what they say? Curves, histograms and a table over people, and who is missed without a warning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profundus.report.charts import Axis, Chart, Curve, charts_block, key_block, percent_axis, stairs
from profundus.report.comparison_content import FLOOR, YARDSTICKS, ComparisonContent, SubjectAnswers
from profundus.report.comparison_style import method_styles
from profundus.report.comparison_tables import method_label
from profundus.report.words import escaped, joined, load_name, method_name, muscle_name, percent, table
from profundus.validate.bands import BINS, SHARES, PersonBand, person_band, with_others_errors

Floats = NDArray[np.float64]
MISSED = 0.6  # a 90 % band that holds less of a person is wrong about him
SPREAD = (10.0, 90.0)  # percentiles over people


@dataclass(frozen=True)
class MethodBands:
    """The bands of one method for one muscle, person by person; ``conformal`` are interval scores of the copy with a band."""

    method: str
    muscle: str
    people: tuple[PersonBand, ...]
    conformal: tuple[float, ...]

    def mean(self, name: str) -> float:
        """Return the mean over people of one of their numbers."""
        return float(np.mean([getattr(person, name) for person in self.people]))

    @property
    def worst(self) -> PersonBand:
        """Return the person whose band holds least."""
        return min(self.people, key=lambda person: person.coverage)

    def at(self, load: float) -> float:
        """Return the mean coverage at a load [kg], NaN where nobody held it."""
        found = [person.by_load[load] for person in self.people if load in person.by_load]
        return float(np.mean(found)) if found else math.nan


def band_block(content: ComparisonContent) -> str:
    """Return pictures, table and the people who are missed without a flag; empty where no method has a band that can be judged."""
    found = all_bands(content)
    if not found:
        return ""
    styles = method_styles(content.methods)
    methods = [method for method in content.methods if any(one.method == method for one in found)]
    key = key_block([Curve(method_name(m), (), (), styles[m].color, styles[m].dash) for m in methods])
    muscles = [muscle for muscle in content.deep if any(one.muscle == muscle for one in found)]
    held = charts_block([_held_chart(content, found, m) for m in muscles], "Held share against nominal share of bands")
    ranks = charts_block([_rank_chart(content, found, m) for m in muscles], "Where in its band the truth lies")
    return (
        f"{key}<h3 class='apart'>How much they hold</h3><p class='note'>On the dashed line a band is right; below it, too narrow; above, "
        f"wider than needed. Means over people, shaded from the 10 to the 90\u202f% person.</p>{held}"
        f"<h3 class='apart'>Where in the band the truth lies</h3><p class='note'>The truth's rank in its own band, taken as log-normal; "
        f"flat is right. Heaps at both ends: too narrow. A heap in the middle: too wide. A slope to the right: the answer is too low.</p>"
        f"{ranks}{_band_table(content, found)}{_missed(content, found)}"
    )


def all_bands(content: ComparisonContent) -> list[MethodBands]:
    """Return the bands of every method that has some, muscle by muscle, on the shown trials."""
    found = []
    for muscle in content.deep:
        copies = [answer for subject in content.subjects if (answer := subject.answer(FLOOR)) is not None]
        banded = (person_band(copy, muscle, role=content.role) for copy in with_others_errors(copies, muscle))
        copied = {one.subject: one.interval_score for one in banded if one is not None}
        for method in content.methods:
            answers = (s.answer(method) for s in content.subjects if method not in YARDSTICKS)
            known = (person_band(answer, muscle, role=content.role) for answer in answers if answer is not None)
            people = tuple(person for person in known if person is not None)
            beside = tuple(copied[p.subject] for p in people if p.subject in copied)
            if people:
                found.append(MethodBands(method, muscle, people, beside))
    return found


def _held_chart(content: ComparisonContent, found: Iterable[MethodBands], muscle: str) -> Chart:
    curves = [Curve("a band that is right", (0.0, 1.0), (0.0, 1.0), dash="dash", thick=1.0)]
    for one in (one for one in found if one.muscle == muscle):
        mean, low, high = _spread([person.held for person in one.people])
        told = [
            f"the {share:.0%} band holds {middle:.0%} ({least:.0%} to {most:.0%})"
            for share, middle, least, most in zip(SHARES, mean, low, high, strict=True)
        ]
        curves.append(_look(content, one.method, Curve("", SHARES, mean, low=low, high=high, told=told)))
    return Chart(muscle_name(muscle), tuple(curves), percent_axis("nominal share"), percent_axis("held"))


def _rank_chart(content: ComparisonContent, found: Iterable[MethodBands], muscle: str) -> Chart:
    curves = [Curve("a band that is right", (0.0, 1.0), (1 / BINS, 1 / BINS), dash="dash", thick=1.0)]
    top = 2.0 / BINS
    for one in (one for one in found if one.muscle == muscle):
        x, mean = stairs(_spread([person.ranks for person in one.people])[0])
        low, high = (stairs(side)[1] for side in _spread([person.ranks for person in one.people])[1:])
        curves.append(_look(content, one.method, Curve("", x, mean, low=low, high=high)))
        top = max(top, *high)
    top = min(1.0, math.ceil(20 * top) / 20)
    step = 0.05 if top <= 0.25 else 0.1 if top <= 0.5 else 0.25
    ticks = {k * step: f"{k * step:.0%}" for k in range(round(top / step) + 1)}
    ends = Axis("rank of the truth in the band", 0.0, 1.0, {0.0: "lowest", 0.5: "middle", 1.0: "highest"})
    return Chart(muscle_name(muscle), tuple(curves), ends, Axis("share of samples", 0.0, top, ticks))


def _look(content: ComparisonContent, method: str, curve: Curve) -> Curve:
    """Return a curve with the look of its method."""
    style = method_styles(content.methods)[method]
    thick = 2.4 if method == content.methods[0] else 1.6
    return replace(curve, name=method_name(method), color=style.color, dash=style.dash, thick=thick)


def _spread(people: Sequence[Floats]) -> tuple[list[float], list[float], list[float]]:
    """Return mean, 10 % and 90 % over people of what is known of them."""
    known = np.array([values for values in people if np.isfinite(values).all()])
    if not len(known):
        nothing = [math.nan] * len(people[0])
        return nothing, nothing, nothing
    low, high = np.percentile(known, SPREAD, axis=0)
    return known.mean(axis=0).tolist(), low.tolist(), high.tolist()


def _band_table(content: ComparisonContent, found: Sequence[MethodBands]) -> str:
    loads = sorted({load for one in found for person in one.people for load in person.by_load})
    with_copy = any(one.conformal for one in found)
    head = [("Method", "", ""), ("90 % holds", "mean over people", ""), ("Worst person", "", "")]
    head += [(load_name(load), "mean share held at this load", "wide") for load in loads]
    head += [
        ("Width", "mean, percent of maximum", ""),
        ("Interval score", "width + 20 × overshoot; smaller is better", ""),
    ]
    head += [("Constant band", "interval score of answer ± constant with the same coverage, in hindsight", "")]
    if with_copy:
        head += [
            ("Copy's band", "interval score of the copy with a band of its errors in the other people's fit trials", "")
        ]
    body = []
    for muscle in dict.fromkeys(one.muscle for one in found):
        title = escaped(muscle_name(muscle))
        body.append(f'<tr class="group"><th colspan="{len(head)}" scope="rowgroup">{title}</th></tr>')
        body += [_band_row(content, one, loads, with_copy=with_copy) for one in found if one.muscle == muscle]
    return table(tuple(head), body)


def _band_row(content: ComparisonContent, one: MethodBands, loads: Sequence[float], *, with_copy: bool) -> str:
    ours, constant = one.mean("interval_score"), one.mean("constant")
    copied = float(np.mean(one.conformal)) if one.conformal else math.nan
    cells = [f"<td>{percent(one.mean('coverage'))}</td>"]
    cells.append(f"<td>{percent(one.worst.coverage)} <small>{escaped(one.worst.subject)}</small></td>")
    cells += [f'<td class="wide">{percent(one.at(load))}</td>' for load in loads]
    cells.append(f"<td>{percent(one.mean('width'), 1)}</td>")
    cells += [f"<td>{percent(score, 1)}</td>" for score in (ours, constant, copied)[: 3 if with_copy else 2]]
    kind = ' class="ours"' if one.method == content.methods[0] else ""
    return f'<tr{kind}><th scope="row">{method_label(content, one.method)}</th>{"".join(cells)}</tr>'


def _missed(content: ComparisonContent, found: Sequence[MethodBands]) -> str:
    """Return who is missed by a band while no flag warns of it."""
    subjects = {subject.id: subject for subject in content.subjects}
    items = []
    for one in found:
        silent = [
            f"{person.subject} ({percent(person.coverage)})"
            for person in sorted(one.people, key=lambda person: person.coverage)
            if person.coverage < MISSED and not _flagged(subjects[person.subject], one)
        ]
        if silent:
            items.append(
                f"<li><b>{escaped(one.muscle)}</b> {escaped(method_name(one.method))}: {escaped(joined(silent))}</li>"
            )
    if not items:
        return f'<p class="note">Nobody\'s band holds less than {percent(MISSED)} without a flag that says so.</p>'
    said = f"Bands that hold less than {percent(MISSED)} of a person, and no flag says so:"
    return f'<p class="caution-line">{said}</p><ul class="problems">{"".join(items)}</ul>'


def _flagged(subject: SubjectAnswers, one: MethodBands) -> bool:
    answer = subject.answer(one.method)
    flags = (*subject.flags, *(answer.flags if answer is not None else ()))
    return any(flag.muscle in ("", one.muscle) for flag in flags)
