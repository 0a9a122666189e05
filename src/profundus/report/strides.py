"""The average stride: envelopes of every muscle against percent of a stride, with their spread over strides, as small pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profundus.records import TrialReconstruction
from profundus.report.charts import Axis, Chart, Curve, charts_block
from profundus.report.comparison_content import ComparisonContent
from profundus.report.comparison_numbers import median_subject, shown_at_first
from profundus.report.comparison_style import TRUTH, method_styles
from profundus.report.content import PageContent, SubjectContent
from profundus.report.palette import muscle_colors
from profundus.report.words import escaped, method_name, muscle_name
from profundus.validate.strides import POINTS, pooled_by_stride

Floats = NDArray[np.float64]
EVERY = 2  # percent between the points that are drawn
SHARE = tuple(range(0, POINTS, EVERY))
STRIDE = Axis("% of stride", 0.0, 100.0, {0.0: "0", 50.0: "50", 100.0: "100"})
NOTE = (
    "A stride begins at the extreme of {angle} that repeats itself ({count} strides of the {role} trials). Measured muscles: the envelope, "
    "mean (line) and one standard deviation over strides (shaded). Deep muscles: the answer's mean (line) with its mean 90\u202f% band "
    "(shaded); dotted, one standard deviation over strides.{truth} Every panel has its own scale."
)
COMPARED = (
    "{subject}, {count} strides from one extreme of {angle} to the next: the muscle's own envelope or truth (black, shaded: one standard "
    "deviation over strides), and the mean stride of our method, the copy and the best other.{factor}"
)
FACTOR = " Each answer is drawn after the one factor that brings it nearest: its level means nothing here."


@dataclass(frozen=True)
class _Averages:
    """Values by stride (stride, percent, column) of several quantities, each a block of columns in the order of the muscles."""

    values: dict[str, Floats]
    angle: str

    @property
    def count(self) -> int:
        """Return the number of strides."""
        return len(next(iter(self.values.values())))

    def mean(self, name: str, muscle: int) -> Floats:
        """Return the mean stride (point,), NaN where nothing is known."""
        return _spread(self.values[name][:, ::EVERY, muscle])[0]

    def sd(self, name: str, muscle: int) -> Floats:
        """Return the standard deviation over strides (point,), NaN where nothing is known."""
        return _spread(self.values[name][:, ::EVERY, muscle])[1]


def stride_block(content: PageContent, subject: SubjectContent) -> str:
    """Return the average stride of one person, a panel a muscle, by functional group; empty where no trial is periodic."""
    parts = _shown(subject.reconstruction.trials)
    found = _averages(parts)
    if found is None:
        return ""
    muscles, deep = parts[0].trial.muscles, set(content.deep)
    colors = muscle_colors(content.muscles, content.groups, content.deep)
    blocks = []
    for group in dict.fromkeys(content.groups.get(name, "") for name in muscles):
        members = [k for k, name in enumerate(muscles) if content.groups.get(name, "") == group]
        charts = [_panel(found, k, muscles[k], colors[muscles[k]], deep=muscles[k] in deep) for k in members]
        title = f"<h3 class='apart'>{escaped(group.replace('_', ' '))}</h3>" if group else ""
        blocks.append(title + charts_block(charts, f"Average stride of {group}", kind="small"))
    truth = " Dashed black: known truth." if np.isfinite(found.values["truth"]).any() else ""
    note = NOTE.format(angle=found.angle, count=found.count, role=parts[0].trial.role, truth=truth)
    return f'<p class="note">{escaped(note)}</p>{"".join(blocks)}'


def compared_strides(content: ComparisonContent) -> str:
    """Return the average stride of the median person, a panel a compared muscle; empty where no trial is periodic."""
    subject = content.subjects[median_subject(content)]
    known: dict[str, _Averages] = {}
    for method in shown_at_first(content):
        answer = subject.answer(method)
        averages = _averages(_shown(answer.trials)) if answer is not None else None
        if averages is not None:
            known[method] = averages
    if not known:
        return ""
    first = next(iter(known.values()))
    muscles = subject.trials[0].muscles
    charts = [_beside(content, known, muscles.index(name), name) for name in content.deep if name in muscles]
    factor = FACTOR if content.error == "rmse_scaled" else ""
    note = COMPARED.format(subject=subject.id, count=first.count, angle=first.angle, factor=factor)
    return f'<p class="note">{escaped(note)}</p>{charts_block(charts, "Average stride of each method", kind="small")}'


def _shown(parts: Sequence[TrialReconstruction]) -> list[TrialReconstruction]:
    """Return the answers to the test trials, or to all where there are no test trials, that share the first one's muscles."""
    tested = [part for part in parts if part.trial.role == "test"] or list(parts)
    return [part for part in tested if part.trial.muscles == tested[0].trial.muscles]


def _averages(parts: Sequence[TrialReconstruction]) -> _Averages | None:
    pairs = []
    for part in parts:
        trial = part.trial
        heard = np.where(trial.emg_valid, trial.emg, np.nan)
        pairs.append((trial, np.hstack([part.excitation, part.lower, part.upper, heard, trial.truth])))
    found = pooled_by_stride(pairs)
    if found is None:
        return None
    blocks = np.split(found[0], 5, axis=2)
    return _Averages(dict(zip(("excitation", "lower", "upper", "emg", "truth"), blocks, strict=True)), found[1])


def _spread(curves: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation (point,) of curves (stride, point) over the strides that know a point."""
    there = np.isfinite(curves)
    count = there.sum(axis=0)
    total = np.where(there, curves, 0.0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    square = np.where(there, (curves - mean) ** 2, 0.0).sum(axis=0)
    return mean, np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)


def _panel(found: _Averages, muscle: int, name: str, color: str, *, deep: bool) -> Chart:
    measured = not deep and bool(np.isfinite(found.values["emg"][:, :, muscle]).any())
    mean, sd = (get("emg" if measured else "excitation", muscle) for get in (found.mean, found.sd))
    if measured:
        curves = [_line("envelope", mean, color, low=mean - sd, high=mean + sd)]
    else:
        low, high = found.mean("lower", muscle), found.mean("upper", muscle)
        curves = [
            _line("answer", mean, color, low=low, high=high),
            Curve("one sd up", SHARE, (mean + sd).tolist(), color, "dot", thick=1.0),
            Curve("one sd down", SHARE, np.maximum(mean - sd, 0.0).tolist(), color, "dot", thick=1.0),
        ]
        truth = found.mean("truth", muscle)
        if np.isfinite(truth).any():
            curves.append(Curve("truth", SHARE, truth.tolist(), TRUTH, "dash", thick=1.4))
    return Chart(muscle_name(name), tuple(curves), STRIDE, _axis(curves, "EMG" if measured else "reconstructed"))


def _beside(content: ComparisonContent, known: dict[str, _Averages], muscle: int, name: str) -> Chart:
    first = next(iter(known.values()))
    truth, sd = first.mean("truth", muscle), first.sd("truth", muscle)
    curves = [_line("truth", truth, TRUTH, low=truth - sd, high=truth + sd)] if np.isfinite(truth).any() else []
    styles = method_styles(content.methods)
    for method, found in known.items():
        mean = found.mean("excitation", muscle)
        if content.error == "rmse_scaled":
            mean = mean * _factor(found.values["excitation"][:, :, muscle], found.values["truth"][:, :, muscle])
        thick = 2.4 if method == content.methods[0] else 1.6
        curves.append(
            Curve(method_name(method), SHARE, mean.tolist(), styles[method].color, styles[method].dash, thick=thick)
        )
    return Chart(muscle_name(name), tuple(curves), STRIDE, _axis(curves, ""))


def _factor(answer: Floats, truth: Floats) -> float:
    """Return the one factor that brings an answer nearest to the truth, 1 where there is none."""
    both = np.isfinite(answer) & np.isfinite(truth)
    power = float(np.sum(answer[both] ** 2))
    return float(np.sum(answer[both] * truth[both])) / power if power > 0.0 else 1.0


def _line(name: str, mean: Floats, color: str, *, low: Floats, high: Floats) -> Curve:
    """Return a mean with what is shaded around it, where all three are known."""
    whole = np.isfinite(mean) & np.isfinite(low) & np.isfinite(high)
    shaded = bool(whole.all() and np.any(high > low))
    lower, upper = (np.maximum(low, 0.0).tolist(), high.tolist()) if shaded else ([], [])
    return Curve(name, SHARE, mean.tolist(), color, low=lower, high=upper)


def _axis(curves: Sequence[Curve], name: str) -> Axis:
    highest = max((v for c in curves for v in (*c.y, *c.high) if np.isfinite(v)), default=0.0)
    top = _round_up(max(highest, 1e-4))
    return Axis(name, 0.0, top, {0.0: "0", top / 2: f"{top / 2:g}", top: f"{top:g}"})


def _round_up(value: float) -> float:
    size = 10.0 ** np.floor(np.log10(value))
    return float(next(step * size for step in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0) if step * size >= value * (1 - 1e-9)))
