"""One self-contained page about a learned prior: who taught it, how it learned, how good it is, what it cannot know."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from profundus.report.charts import Axis, Chart, Curve, charts_block, key_block
from profundus.report.details import provenance_block
from profundus.report.palette import muscle_colors
from profundus.report.prior_pictures import dots_block, held_charts, level_charts, rank_charts
from profundus.report.sections import card
from profundus.report.single_file import asset, filled, policy
from profundus.report.verdict import Finding, Tone
from profundus.report.words import escaped, fixed, load_name, muscle_name, percent, significant, table

POINTS = 150  # of the loss curve
HOLDS_LEAST, HOLDS_MOST = 0.85, 0.95  # what a 90 % band may hold on average and still be called right
FEW_PEOPLE = 30  # judges, below which a histogram tells little
HEAD = (
    ("Muscle", "", ""),
    ("People", "", "wide"),
    ("× reference", "RMSE over that of the mean of the group's electrodes, geometric mean over people", ""),
    ("Better", "share of people in whom that is below 1", ""),
    ("r", "median over people", ""),
    ("RMSE", "median over people, percent of maximum", "wide"),
    ("Level", "root mean square over people of the log of the factor to the truth, as a factor", ""),
    ("90 % holds", "mean over people", ""),
    ("Least", "the person of whom the band holds least", ""),
)


@dataclass(frozen=True)
class PriorContent:
    """What a prior's page shows: its ``card``, the text of its recipe, the loss of every step (empty where it was not kept)."""

    card: Mapping[str, Any]
    recipe: str
    loss: Sequence[float] = ()


def build_prior(content: PriorContent) -> str:
    """Return the page as HTML text. It needs no script. Raises KeyError, TypeError or ValueError for a card that is none."""
    card_, people = content.card, content.card["population"]
    usual = [row for row in card_["scores"] if row["electrodes"] == "usual"]
    parts = {
        "policy": policy(),
        "style": asset("page.css", "charts.css"),
        "title": escaped(f"Learned prior of {card_['anatomy']['name']}"),
        "made": escaped(f"{card_['date']}, profundus {card_['version']}, license {card_['license']}"),
        "headline": escaped(_headline(usual)),
        "cards": "".join(card(_finding(row)) for row in usual),
        "teachers": _teachers(people),
        "learning": _learning(content),
        "scores": _scores(card_["scores"]),
        "families": dots_block(card_["families"], "family", lambda name: str(name).replace("_", " ")),
        "loads": dots_block(card_["loads"], "load_kg", load_name),
        "key": key_block([Curve(muscle_name(name), (), (), color) for name, color in _colors(card_).items()]),
        "held": held_charts(card_["ranks"], _colors(card_)),
        "ranks": rank_charts(card_["ranks"], _colors(card_)),
        "levels": level_charts(card_["ranks"], _colors(card_)),
        "few": _few(people["held_out"]),
        "limits": "".join(f"<li>{escaped(limit.replace('`', ''))}</li>" for limit in card_["limits"]),
        "recipe": escaped(content.recipe),
        "provenance": provenance_block({key: card_[key] for key in ("libraries", "anatomy", "calibration", "recipe")}),
    }
    return filled(asset("prior.html"), parts)


def _colors(card_: Mapping[str, Any]) -> dict[str, str]:
    anatomy = card_["anatomy"]
    muscles = anatomy["muscles"]
    deep = [name for name in muscles if name not in card_["electrodes"]]
    return muscle_colors(muscles, dict(zip(muscles, anatomy["groups"], strict=True)), deep)


def _headline(rows: Sequence[Mapping[str, Any]]) -> str:
    said = [f"{row['muscle']} with {fixed(row['rmse_ratio'])} times the error of its reference" for row in rows]
    if not said:
        return "There is no muscle without an electrode: nothing was judged."
    return f"On virtual people that it has not learned from: {', '.join(said)}. That says what it can do, not that it works for people."


def _finding(row: Mapping[str, Any]) -> Finding:
    holds = HOLDS_LEAST <= row["held"] <= HOLDS_MOST
    tone: Tone = "bad" if row["rmse_ratio"] >= 1 else "good" if holds else "caution"
    return Finding(
        muscle_name(row["muscle"]),
        f"×{fixed(row['rmse_ratio'])}",
        (
            f"of the error of the mean of its group's electrodes; better in {percent(row['better'])} of {row['people']} people.",
            f"r {fixed(row['r'])}, the reference {fixed(row['reference_r'])}.",
            f"The 90\u202f% band holds {percent(row['held'])}, of the least lucky person {percent(row['held_least'])}.",
        ),
        tone,
    )


def _teachers(people: Mapping[str, Any]) -> str:
    words = "".join(f"<li>{escaped(line)}</li>" for line in people["words"])
    return (
        f"<p>{people['taught']:,} virtual people taught it; {people['held_out']:,} others calibrated and judged it, half and half.</p>"
        f'<ul class="plain">{words}</ul>'
    )


def _learning(content: PriorContent) -> str:
    learning, seconds = content.card["learning"], content.card["seconds"]
    spent = ", ".join(f"{name} {_time(value)}" for name, value in seconds.items())
    said = (
        f"<p>{learning['weights']:,} weights of {learning['bits']} bits ({learning['bytes'] / 1e6:.2f} MB), {learning['steps']:,} steps. "
        f"Loss {fixed(learning['loss_first'], 3)} at first, {fixed(learning['loss_last'], 3)} in the end. Time: {escaped(spent)}.</p>"
    )
    if len(content.loss) < 2:
        return f'{said}<p class="note">The loss of every step was in the folder of checkpoints, which is not there any more.</p>'
    return said + charts_block([_loss_chart(content.loss)], "Loss over the steps of learning")


def _loss_chart(loss: Sequence[float]) -> Chart:
    """Return the loss in up to 150 means of equal stretches; the first stretches may be too high for the picture."""
    width = max(1, math.ceil(len(loss) / POINTS))
    stretches = [loss[start : start + width] for start in range(0, len(loss), width)]
    means = [sum(stretch) / len(stretch) for stretch in stretches]
    ends = [min(width * (k + 1), len(loss)) for k in range(len(means))]
    low, high = min(means), sorted(means)[int(0.98 * (len(means) - 1))]
    margin = 0.05 * (high - low) or 0.1
    steps = [round(len(loss) * share) for share in (0, 0.25, 0.5, 0.75, 1)]
    y = Axis("", low - margin, high + margin, {v: significant(v, 3) for v in (low, (low + high) / 2, high)})
    mean = f"mean of {width} steps" if width > 1 else "one step"
    return Chart(
        f"Loss, {mean}",
        (Curve("loss", ends, means, "#0b5fa5"),),
        Axis("step", 0, len(loss), {step: f"{step:,}" for step in steps}),
        y,
    )


def _scores(rows: Sequence[Mapping[str, Any]]) -> str:
    body, last = [], ""
    for row in rows:
        if row["electrodes"] != last:
            last = row["electrodes"]
            title = "usual electrodes" if last == "usual" else last
            body.append(f'<tr class="group"><th colspan="{len(HEAD)}" scope="rowgroup">{escaped(title)}</th></tr>')
        cells = (
            str(row["people"]),
            fixed(row["rmse_ratio"]),
            percent(row["better"]),
            fixed(row["r"]),
            percent(row["rmse"], 1),
            f"×÷\u2009{fixed(math.exp(row['level_rms']))}",
            percent(row["held"]),
            percent(row["held_least"]),
        )
        tds = "".join(f'<td class="{head[2]}">{text}</td>' for head, text in zip(HEAD[1:], cells, strict=True))
        body.append(f'<tr><th scope="row">{escaped(muscle_name(row["muscle"]))}</th>{tds}</tr>')
    return table(HEAD, body)


def _few(held_out: int) -> str:
    judges = held_out // 2
    if judges >= FEW_PEOPLE:
        return ""
    return f'<p class="caution-line">{judges} people judged: the pictures below tell little.</p>'


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 6000
        else f"{seconds / 3600:.1f} h"
    )
