"""Score the NMM on virtual elbows with known deep EMG: ``python benchmarks/virtual_elbow.py STUDY_DIR --out DIR``.

Fits every subject with the default settings (and with ``--paper`` as the plain NMM of arXiv 2503.05201, too), and scores the answers beside
three copies of measured muscles, on test trials that no fit has seen. Finished subjects are kept: the same command goes on where it was
stopped. Writes scores.csv, subjects.csv, table.md and, where matplotlib is installed, subjects.svg.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from profundus.io.anatomy import read_anatomy
from profundus.io.run_directory import MANIFEST, RunDirectory
from profundus.io.score_file import write_scores
from profundus.io.study_file import read_study
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.fitting import FitProgress, fit_study
from profundus.records import Scorecard, ScoreRow, Study
from profundus.rivals.copy import copy_best, copy_group, copy_nearest
from profundus.signal import assemble_trials
from profundus.validate.scores import score

BAR = "copy"
RESAMPLES = 10_000
SHOWN = ("r", "rmse", "nrmse", "amplitude_ratio", "rmse_scaled", "coverage90", "band_width", "interval_score90")


@dataclass(frozen=True)
class Paired:
    """Error of a method over that of the copy: geometric mean over subjects, its 90 % bootstrap interval, wins."""

    ratio: float
    low: float
    high: float
    wins: int
    subjects: int

    def __str__(self) -> str:
        return f"{self.ratio:.2f} ({self.low:.2f} to {self.high:.2f}), {self.wins} of {self.subjects}"


def paired(errors: Sequence[float], bar: Sequence[float], *, seed: int) -> Paired:
    """Return how the errors of subjects compare with the bar's, subject by subject."""
    logs = np.log(np.asarray(errors) / np.asarray(bar))
    drawn = np.random.default_rng(seed).integers(len(logs), size=(RESAMPLES, len(logs)))
    low, high = np.exp(np.quantile(logs[drawn].mean(axis=1), (0.05, 0.95)))
    return Paired(float(np.exp(logs.mean())), float(low), float(high), int(np.sum(logs < 0)), len(logs))


def announce(progress: FitProgress) -> None:
    if progress.stage != "train":
        print(f"  {progress.subject} ({progress.index + 1} of {progress.subjects}): {progress.stage}", flush=True)


def answers(study: Study, out: Path, *, seed: int, subjects: Sequence[str] | None) -> list[ScoreRow]:
    """Return the score rows of fits that are in the run directory ``out``, after fitting whom it lacks."""
    run = RunDirectory(out)
    wanted = [person.id for person in study.subjects if subjects is None or person.id in subjects]
    if (out / MANIFEST).is_file() and run.finished:
        if missing := sorted(set(wanted) - set(run.subjects)):
            raise SystemExit(f"{out} is finished and lacks {', '.join(missing)}: choose another --out")
    else:
        result = fit_study(study, out, seed=seed, subjects=subjects, resume=True, on_progress=announce)
        print(f"  {out.name}: {result.seconds:.0f} s, {len(result.warnings)} warnings")
    return [row for name in wanted for row in score(run.reconstruction(name)).rows]


def copies(study: Study, subjects: set[str]) -> list[ScoreRow]:
    """Return the score rows of the three copies for the people in ``subjects``."""
    anatomy = read_anatomy(study.model)
    model = MusculoskeletalModel(anatomy, coordinates=study.coordinates)
    rows: list[ScoreRow] = []
    for person in study.subjects:
        if person.id in subjects:
            trials = assemble_trials(study, person, anatomy.muscles)
            nearest = copy_nearest(trials, anatomy, lambda angle: np.asarray(model.moment_arms(angle)))
            made = (nearest, copy_group(trials, anatomy), copy_best(trials, anatomy))
            rows += [row for rec in made for row in score(rec).rows]
    return rows


def pooled(rows: Iterable[ScoreRow], names: Sequence[str]) -> list[ScoreRow]:
    """Return the rows that judge: pooled over a subject's test trials, of muscles or coordinates in ``names``."""
    return [row for row in rows if row.trial == "all" and row.role == "test" and row.name in names]


def muscle_table(rows: Sequence[ScoreRow], muscles: Sequence[str], *, seed: int) -> list[str]:
    """Return the lines of the table of deep muscles: medians over subjects, and the paired ratio of RMSE."""
    head = "| muscle | method | r | RMSE | nRMSE | amplitude | RMSE scaled | covers | width | interval score | RMSE / copy, wins |"
    lines = [head, "|---|---|" + "---:|" * (len(SHOWN) + 1)]
    for muscle in muscles:
        own = [row for row in rows if row.name == muscle]
        bar = {row.subject: row.rmse for row in own if row.method == BAR}
        for method in dict.fromkeys(row.method for row in own):
            mine = [row for row in own if row.method == method]
            cells = [shown(float(np.median([getattr(row, key) for row in mine]))) for key in SHOWN]
            against = paired([row.rmse for row in mine], [bar[row.subject] for row in mine], seed=seed)
            lines.append(
                f"| {muscle} | {method} | " + " | ".join([*cells, "" if method == BAR else str(against)]) + " |"
            )
    return lines


def moment_table(rows: Sequence[ScoreRow], coordinates: Sequence[str]) -> list[str]:
    """Return the lines of the table of joint moments: medians and worst subject."""
    lines = ["| joint | method | median R² | worst R² | RMSE [N.m] | nRMSE |", "|---|---|---:|---:|---:|---:|"]
    own = [row for row in rows if row.name in coordinates]
    for coordinate, method in dict.fromkeys((row.name, row.method) for row in own):
        mine = [row for row in own if (row.name, row.method) == (coordinate, method)]
        r2 = [row.r2 for row in mine]
        errors = (float(np.median([getattr(row, key) for row in mine])) for key in ("rmse", "nrmse"))
        cells = [shown(float(np.median(r2))), shown(min(r2)), *map(shown, errors)]
        lines.append(f"| {coordinate} | {method} | " + " | ".join(cells) + " |")
    return lines


def subject_table(rows: Sequence[ScoreRow], muscles: Sequence[str], method: str) -> list[str]:
    """Return the lines of the table of one method, subject by subject: moment R², and per muscle r, RMSE over the copy's, coverage."""
    columns = [f"{muscle} {what}" for muscle in muscles for what in ("r", "RMSE", "/ copy", "amplitude", "covers")]
    lines = ["| " + " | ".join([method, "moment R²", *columns]) + " |", "|---|" + "---:|" * (len(columns) + 1)]
    found = {(row.subject, row.method, row.name): row for row in rows}
    for subject in dict.fromkeys(row.subject for row in rows):
        moments = [row.r2 for row in rows if (row.subject, row.method, row.quantity) == (subject, method, "moment")]
        cells = [shown(min(moments, default=np.nan))]
        for muscle in muscles:
            row, bar = found[subject, method, muscle], found[subject, BAR, muscle]
            cells += map(shown, (row.r, row.rmse, row.rmse / bar.rmse, row.amplitude_ratio, row.coverage90))
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    return lines


def shown(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def draw(rows: Sequence[ScoreRow], muscles: Sequence[str], path: Path) -> None:
    """Draw the RMSE of every subject and method, or say that it cannot be drawn."""
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        print("matplotlib is not installed: no figure")
        return
    figure, axes = plt.subplots(1, len(muscles), figsize=(4.5 * len(muscles), 3.2), squeeze=False, layout="constrained")
    methods = list(dict.fromkeys(row.method for row in rows if row.name in muscles))
    for axis, muscle in zip(axes[0], muscles, strict=True):
        for method in methods:
            own = {row.subject: row.rmse for row in rows if (row.name, row.method) == (muscle, method)}
            axis.plot(list(own), list(own.values()), "_" if method == BAR else ".", markersize=10, label=method)
        axis.set(title=muscle, ylabel="RMSE [fraction of maximum]")
        axis.set_ylim(bottom=0.0)
        axis.tick_params(axis="x", rotation=90)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][-1].legend(frameon=False, fontsize=8)
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path, help="folder of the virtual-elbow study")
    parser.add_argument("--out", type=Path, required=True, help="where runs and tables go")
    parser.add_argument("--subjects", nargs="+", help="only these")
    parser.add_argument("--paper", action="store_true", help="fit the plain NMM of the paper, too")
    parser.add_argument("--muscle", choices=("degroote", "thelen"), help="another muscle model than the default")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    study = read_study(asked.study / "study.toml")
    if asked.muscle:
        study = replace(study, fit=replace(study.fit, muscle=asked.muscle))
    variants = {"nmm": study}
    if asked.paper:
        variants["nmm_paper"] = replace(study, fit=replace(study.fit, paper=True))
    rows: list[ScoreRow] = []
    for name, variant in variants.items():
        run = asked.out / f"{name}_{study.fit.muscle}_seed{asked.seed}"
        rows += answers(variant, run, seed=asked.seed, subjects=asked.subjects)
    report(rows + copies(study, {row.subject for row in rows}), study, asked.out, seed=asked.seed)


def report(rows: Sequence[ScoreRow], study: Study, out: Path, *, seed: int) -> None:
    """Write and print what a paper would show."""
    write_scores(Scorecard(tuple(rows)), out / "scores.csv")
    judged = pooled(rows, (*study.deep, *study.coordinates))
    write_scores(Scorecard(tuple(judged)), out / "subjects.csv")
    count = len({row.subject for row in judged})
    lines = [f"Test trials of {count} virtual subjects, pooled per subject; medians over subjects; seed {seed}.", ""]
    lines += [*muscle_table(judged, study.deep, seed=seed), "", *moment_table(judged, study.coordinates), ""]
    for method in dict.fromkeys(row.method for row in judged if row.quantity == "moment"):
        lines += [*subject_table(judged, study.deep, method), ""]
    (out / "table.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    draw(judged, study.deep, out / "subjects.svg")


if __name__ == "__main__":
    main()
