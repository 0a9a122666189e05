"""What a causal answer costs in accuracy: streams of all people of a run against the run's own answers, on the trials to test.

    profundus fit STUDY_DIR/study.toml --out RUN
    python benchmarks/stream_accuracy.py RUN [--out FOLDER] [--trial NAME]

Both are held against the truth by the judge of every method. Also: the same with each electrode in turn lost for the whole trial.
Leaves stream_accuracy.json and, with matplotlib, stream_curves.svg: one trial of the first person.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from profundus.io.run_directory import read_run
from profundus.records import Reconstruction, Scorecard
from profundus.stream.offline import causal_reconstruction
from profundus.stream.student import Student
from profundus.stream.teaching import taught
from profundus.validate.paired import PairedRow, paired
from profundus.validate.scores import score


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--out", type=Path, default=Path())
    arguments.add_argument("--trial")
    given = arguments.parse_args()
    run = read_run(given.run)
    answers = [run.reconstruction(subject) for subject in run.subjects]
    students = [taught(answer) for answer in answers]
    deep = [m for m in students[0].muscles if m not in students[0].measured]
    found = {"all": _held_against(answers, students, lost=None)}
    for electrode in students[0].measured:
        found[f"without {electrode}"] = _held_against(answers, students, lost=electrode)
    print(
        "| channels | muscle | RMSE ratio (5 to 95 %) | better in | r | amplitude | coverage of 90 % | lag |"
    )  # medians over people
    print("|---|---|---|---|---|---|---|---|")
    for name, (rows, lags) in found.items():
        for row in rows:
            if row.name in deep or name == f"without {row.name}":
                print(
                    f"| {name} | {row.name} | {row.ratio:.3f} ({row.lower:.3f} to {row.upper:.3f}) | "
                    f"{row.wins} of {row.people} | {row.r:.3f} | {row.amplitude_ratio:.2f} | {row.coverage90:.2f} | "
                    f"{lags[row.name]:.0f} ms |"
                )
    given.out.mkdir(parents=True, exist_ok=True)
    facts = {name: [vars(row) | {"lag_ms": lags[row.name]} for row in rows] for name, (rows, lags) in found.items()}
    (given.out / "stream_accuracy.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    _draw(answers[0], students[0], given.trial, given.out / "stream_curves.svg")


def _held_against(
    answers: Iterable[Reconstruction], students: Iterable[Student], *, lost: str | None
) -> tuple[list[PairedRow], dict[str, float]]:
    """Return the causal answers against the run's own, muscle by muscle, and the median lag [ms]."""
    card = []
    for answer, student in zip(answers, students, strict=True):
        trials = [part.trial for part in answer.trials]
        blind = [trial if lost is None else _without(trial, lost) for trial in trials]
        causal = causal_reconstruction(student, blind)
        # the judge sees the same samples of both
        seen = [replace(part, trial=trial) for part, trial in zip(causal.trials, trials, strict=True)]
        card += [*score(replace(causal, trials=tuple(seen))).rows, *score(answer).rows]
    methods = {row.method for row in card}
    causal_name = next(name for name in methods if name.endswith("_causal"))
    rows = [
        row
        for row in paired(Scorecard(tuple(card)), against=causal_name.removesuffix("_causal"))
        if row.method == causal_name
    ]
    lags = {
        row.name: float(
            np.nanmedian(
                [
                    r.lag_ms
                    for r in card
                    if (r.method, r.name, r.trial, r.role) == (causal_name, row.name, "all", "test")
                ]
            )
        )
        for row in rows
    }
    return rows, lags


def _without(trial, electrode: str):
    emg, valid = trial.emg.copy(), trial.emg_valid.copy()
    emg[:, trial.muscles.index(electrode)], valid[:, trial.muscles.index(electrode)] = np.nan, False
    return replace(trial, emg=emg, emg_valid=valid)


def _draw(answer: Reconstruction, student: Student, name: str | None, path: Path) -> None:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("matplotlib is not installed: no picture")
        return
    parts = [p for p in answer.trials if p.trial.role == "test" and name in (None, p.trial.name)]
    part = parts[-1]
    causal = causal_reconstruction(student, [part.trial]).trials[0]
    deep = [i for i, muscle in enumerate(student.muscles) if muscle not in student.measured]
    figure, axes = plt.subplots(len(deep), 1, figsize=(7, 2.2 * len(deep)), sharex=True, layout="constrained")
    for axis, i in zip(np.atleast_1d(axes), deep, strict=True):
        time, every = part.trial.time[::4], slice(None, None, 4)
        axis.fill_between(
            time,
            causal.lower[every, i],
            causal.upper[every, i],
            color="#4C78A8",
            alpha=0.15,
            lw=0,
            label="its 90 % band",
        )
        axis.plot(time, part.trial.truth[every, i], color="0.6", lw=0.8, label="truth")
        axis.plot(
            time, part.excitation[every, i], color="#E45756", lw=1.2, label="run, knowing what follows and the moment"
        )
        axis.plot(time, causal.excitation[every, i], color="#4C78A8", lw=1.4, label="stream, knowing the past")
        axis.set_ylabel(f"{student.muscles[i]} [fraction of max]")
        axis.set_ylim(bottom=0)
    np.atleast_1d(axes)[0].legend(fontsize=7, ncols=2, frameon=False)
    np.atleast_1d(axes)[-1].set_xlabel(f"time [s], {answer.subject}, {part.trial.name}, a trial to test")
    plt.rcParams["svg.hashsalt"] = "profundus"
    figure.savefig(path, metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=90)


if __name__ == "__main__":
    main()
