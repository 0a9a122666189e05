"""What calibrations and advice are worth on virtual people: ``python benchmarks/advice.py [--people 30] [--seed 4242]``.

Two tables in Markdown. First: error of the learned prior's answer over that of the copy on test trials, with and without calibrations, and
whether the doubt that they leave is right. Second: error and band after the advised recording and after one by chance, over those before:
of all that are ranked, of wires, of extra trials.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from advice_people import DEEP, LOADS_KG, Subject, people, pool_name

from profundus.fit.calibration import calibrated
from profundus.fit.taught import fit_taught_people, met
from profundus.io.anatomy import read_anatomy
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.prior import DeepPrior
from profundus.protocols.advising import advise
from profundus.protocols.learned import answered_to_fit, prior_for
from profundus.protocols.models import copy_of_nearest
from profundus.reconstruct import reconstruct_taught
from profundus.records import (
    AdviceRow,
    Anatomy,
    Calibration,
    EmgSettings,
    FitSettings,
    Reconstruction,
    Scorecard,
    ScoreRow,
    Study,
    Trial,
)
from profundus.validate.paired import paired
from profundus.validate.scores import score

TO = {"BRA": "BIClong", "TRImed": "TRIlat"}
WIRE, MAXIMAL = "fit2", "maximal"
NO, BEFORE = "none", "before"


class Bench:
    """Anatomy, model and prior that all people share."""

    def __init__(self) -> None:
        self.anatomy: Anatomy = read_anatomy("arm26")
        self.model = MusculoskeletalModel(self.anatomy)
        study = Study(
            "advice", "arm26", self.model.coordinates, tuple(TO.values()), DEEP, EmgSettings("envelope", "mvc"), ()
        )
        prior = prior_for(study, self.anatomy)
        if prior is None:
            raise SystemExit("there is no learned prior for arm26: run `profundus pretrain`")
        self.prior: DeepPrior = prior

    def fitted(self, trials: Sequence[Trial]) -> TaughtSubject:
        """Return the person, without calibrations."""
        known = met(trials, self.prior, self.anatomy, self.model, FitSettings(), normalization="mvc")
        return fit_taught_people([known], self.anatomy, self.model)[0]

    def calibrated(self, subject: TaughtSubject, trials: Sequence[Trial], pins: Sequence[Calibration]) -> TaughtSubject:
        """Return the person with calibrations; parameters, which no excitation depends on, stay."""
        aside = [pin.trial for pin in pins if pin.kind == "dominant"]
        person = answered_to_fit(
            trials,
            self.model,
            self.prior,
            subject.settings,
            gain=subject.usual_gain,
            scale_sd=subject.scale_sd,
            aside=aside,
        )
        level, level_sd = np.zeros_like(subject.level), np.full_like(subject.level_sd, np.nan)
        rows = calibrated(pins, person, self.prior.level_correlation, subject=subject.subject)
        for row in rows:
            place = subject.layout.muscles.index(row.muscle)
            level[place], level_sd[place] = row.shift, row.sd
        return replace(subject, level=level, level_sd=level_sd, calibrations=rows)

    def rows(self, method: str, subject: TaughtSubject, trials: Sequence[Trial]) -> list[ScoreRow]:
        """Return the pooled scores of the deep muscles on test trials."""
        asked = replace(subject, personalized=False)  # excitations alone
        return pooled(replace(reconstruct_taught(asked, self.model, tested(trials)), method=method))

    def copy(self, trials: Sequence[Trial]) -> list[ScoreRow]:
        """Return the scores of the copy of the nearest muscle."""
        rec = copy_of_nearest(tuple(trials), self.anatomy, self.model)
        return pooled(replace(rec, trials=tuple(part for part in rec.trials if part.trial.role == "test")))


def tested(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    return tuple(trial for trial in trials if trial.role == "test")


def pooled(rec: Reconstruction) -> list[ScoreRow]:
    rows = score(rec).rows
    return [row for row in rows if row.trial == "all" and row.quantity == "emg" and row.name in DEEP]


def ratios(persons: Sequence[Subject], but: Subject) -> list[Calibration]:
    """Return what a paper about all others would say: mean and sd over people of mean excitations' ratio."""
    found = []
    for name, to in TO.items():
        each = [np.mean([_mean(t, name) / _mean(t, to) for t in one.trials]) for one in persons if one is not but]
        found.append(Calibration(name, "ratio", ratio=float(np.mean(each)), sd=float(np.std(each)), to=to))
    return found


def _mean(trial: Trial, name: str) -> float:
    return float(trial.truth[:, trial.muscles.index(name)].mean())


def true_level(bench: Bench, subject: TaughtSubject, trials: Sequence[Trial], name: str) -> float:
    """Return the log factor of least squares from the uncalibrated answer to the truth, over test trials."""
    asked = replace(subject, personalized=False, level=np.zeros_like(subject.level))
    place = subject.layout.muscles.index(name)
    rec = reconstruct_taught(asked, bench.model, tested(trials))
    answer = np.concatenate([part.excitation[:, place] for part in rec.trials])
    truth = np.concatenate([part.trial.truth[:, place] for part in rec.trials])
    return float(np.log(np.sum(truth * answer) / np.sum(answer**2)))


def calibration_table(bench: Bench, persons: Sequence[Subject]) -> None:
    """Print what each calibration is worth."""
    rows: list[ScoreRow] = []
    off: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in persons:
        wire = {name: Calibration(name, "trial", trial=WIRE) for name in DEEP}
        maximal = [Calibration(name, "dominant", trial=f"{MAXIMAL}_{name}") for name in DEEP]
        variants: dict[str, tuple[list[Calibration], list[Trial]]] = {
            NO: ([], []),
            **{f"wire in {name}": ([pin], []) for name, pin in wire.items()},
            "wires in both": (list(wire.values()), []),
            "literature ratios": (ratios(persons, one), []),
            "maximal contractions": (maximal, list(one.maximal.values())),
        }
        plain = bench.fitted(one.trials)
        rows += bench.copy(one.trials)
        for name, (pins, more) in variants.items():
            trials = (*one.trials, *more)
            subject = bench.calibrated(plain, trials, pins)
            rows += bench.rows(name, subject, one.trials)
            for row in subject.calibrations:
                error = true_level(bench, subject, one.trials, row.muscle) - row.shift
                off.setdefault((name, row.muscle), []).append((error, row.sd))
    print(
        "| calibration | muscle | RMSE / copy (5 to 95 %) | wins | log level rms: left, expected | 90 % band: holds, width |"
    )
    print("|---|---|---:|---:|---:|---:|")
    for held in paired(Scorecard(tuple(rows))):
        if held.method == "copy":
            continue
        errors = np.array(off.get((held.method, held.name), [(np.nan, np.nan)]))
        left, expected = np.sqrt(np.mean(errors**2, axis=0))
        width = np.median([row.band_width for row in rows if (row.method, row.name) == (held.method, held.name)])
        said = f"{left:.2f}, {expected:.2f}" if np.isfinite(left) else "-"
        print(
            f"| {held.method} | {held.name} | {held.ratio:.2f} ({held.lower:.2f} to {held.upper:.2f}) | {held.wins} of {held.people} "
            f"| {said} | {held.coverage90:.0%}, {width:.3f} |"
        )


def recorded(bench: Bench, name: str, asked: AdviceRow, one: Subject, plain: TaughtSubject) -> list[ScoreRow]:
    """Return the scores of a person who made the recording that a row of the advice is about."""
    if asked.kind == "trial":
        more = one.pool[pool_name(asked.motion, asked.load_kg, asked.reach)]
        return bench.rows(name, bench.fitted((*one.trials, more)), one.trials)
    if asked.kind == "dominant":
        maximal = one.maximal[asked.of]
        pin = Calibration(asked.of, "dominant", trial=maximal.name)
        return bench.rows(name, bench.calibrated(plain, (*one.trials, maximal), [pin]), one.trials)
    wired = next(trial.name for trial in one.trials if f"like {trial.name}" in asked.recording)
    pin = Calibration(asked.of, "trial", trial=wired)
    return bench.rows(name, bench.calibrated(plain, one.trials, [pin]), one.trials)


def _one_of(ranked: Sequence[AdviceRow], chance: np.random.Generator) -> AdviceRow | None:
    return ranked[int(chance.integers(len(ranked)))] if ranked else None


def advice_table(bench: Bench, persons: Sequence[Subject], seed: int) -> None:
    """Print what following the advice, and what following chance, does to errors and bands."""
    rows: list[ScoreRow] = []
    chance = np.random.default_rng(seed)
    for number, one in enumerate(persons):
        plain = bench.fitted(one.trials)
        advice = advise(plain, one.trials, bench.anatomy, bench.model, seed=seed + number, loads_kg=LOADS_KG)
        rows += bench.rows(BEFORE, plain, one.trials)
        ranked = list({row.recording: row for row in advice.rows}.values())
        kinds = {kind: [row for row in ranked if row.kind == kind] for kind in ("wire", "trial")}
        picked = {
            "advised of all": advice.best(),
            "any by chance": _one_of(ranked, chance),
            "a wire by chance": _one_of(kinds["wire"], chance),
            "advised extra trial": advice.best("trial"),
            "extra trial by chance": _one_of(kinds["trial"], chance),
        }
        for name, recording in picked.items():
            if recording is not None:
                rows += recorded(bench, name, recording, one, plain)
    print("\n| recording | muscle | RMSE / before (5 to 95 %) | better in | band / before | 90 % band holds |")
    print("|---|---|---:|---:|---:|---:|")
    before = {(row.subject, row.name): row.band_width for row in rows if row.method == BEFORE}
    for held in paired(Scorecard(tuple(rows)), against=BEFORE):
        if held.method == BEFORE:
            continue
        own = [row for row in rows if (row.method, row.name) == (held.method, held.name)]
        band = np.exp(np.mean([np.log(row.band_width / before[row.subject, row.name]) for row in own]))
        print(
            f"| {held.method} | {held.name} | {held.ratio:.3f} ({held.lower:.3f} to {held.upper:.3f}) | {held.wins} of {held.people} "
            f"| {band:.3f} | {held.coverage90:.0%} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seed", type=int, default=4242)
    asked = parser.parse_args()
    began = time.perf_counter()
    bench = Bench()
    persons = []
    for one in people(bench.anatomy, bench.model, count=asked.people, seed=asked.seed):
        persons.append(one)
        print(f"{time.perf_counter() - began:6.0f} s  {one.id}", file=sys.stderr, flush=True)
    calibration_table(bench, persons)
    advice_table(bench, persons, asked.seed)
    print(f"{time.perf_counter() - began:6.0f} s  done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
