"""Print how good bands are as Markdown: ``python benchmarks/bands.py COMPARISON_DIR``.

For each deep muscle, over people: the share of the truth in 90 % bands (mean, and the person of whom they hold least), their mean width and
interval score (width + 20 x overshoot, Gneiting and Raftery 2007), in percent of maximum. Beside the methods of the comparison that have
bands: their answers +- the constant that covers as much, chosen in hindsight; the copy with a band of its errors in the other people's fit
trials; and what is known of virtual people at that load, whoever the person is.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from profundus.io.anatomy import read_anatomy
from profundus.io.comparison_directory import read_comparison
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.pages.comparison import comparison_content
from profundus.records import Anatomy, PopulationSettings, Reconstruction, Trial, TrialReconstruction
from profundus.report import ComparisonContent
from profundus.report.comparison_content import FLOOR, SubjectAnswers
from profundus.simulate import simulate_people
from profundus.validate.bands import PersonBand, person_band, with_others_errors

TRIALS = {"curls": 1, "steps": 1, "pulses": 1}  # of every load
SEED = 314_159_265  # nobody's that a study or a prior was made with
Quantiles = dict[float, np.ndarray]


def population_quantiles(content: ComparisonContent, anatomy: Anatomy, count: int) -> Quantiles:
    """Return {load: (5, 50 and 95 %, muscle)} of the true excitations of virtual people."""
    trials = [trial for subject in content.subjects for trial in content.trials_of(subject)]
    loads = sorted({trial.load_kg for trial in trials if np.isfinite(trial.load_kg)})
    settings = replace(PopulationSettings(trials=TRIALS), loads_kg=tuple(loads))
    people = simulate_people(anatomy, MusculoskeletalModel(anatomy).geometry, settings, seed=SEED, count=count)
    truth: dict[float, list[np.ndarray]] = {load: [] for load in loads}
    for person in people:
        for trial in person.trials:
            truth[trial.load_kg].append(trial.truth)
    return {load: np.percentile(np.concatenate(parts), [5, 50, 95], axis=0) for load, parts in truth.items()}


def of_population(subject: SubjectAnswers, quantiles: Quantiles) -> Reconstruction:
    """Return the answer that knows the load and nothing of the person."""
    parts = [_of_load(trial, quantiles[trial.load_kg]) for trial in subject.trials if trial.load_kg in quantiles]
    return Reconstruction("population quantiles at the load", subject.id, tuple(parts))


def _of_load(trial: Trial, known: np.ndarray) -> TrialReconstruction:
    low, middle, high = (np.tile(row, (len(trial.time), 1)) for row in known)
    return TrialReconstruction(trial, middle, low, high)


def answers_of(content: ComparisonContent, method: str) -> list[Reconstruction]:
    found = (subject.answer(method) for subject in content.subjects)
    return [answer for answer in found if answer is not None]


def bands_of(content: ComparisonContent, answers: Iterable[Reconstruction], muscle: str) -> list[PersonBand]:
    found = (person_band(answer, muscle, role=content.role) for answer in answers)
    return [one for one in found if one is not None]


def row(name: str, people: Sequence[PersonBand]) -> str:
    covered = [person.coverage for person in people]
    width, score = (np.mean([getattr(person, key) for person in people]) for key in ("width", "interval_score"))
    return f"| {name} | {np.mean(covered):.0%} ({min(covered):.0%}) | {width:.1%} | {score:.1%} |"


def constant_row(name: str, people: Sequence[PersonBand]) -> str:
    covered = [person.coverage for person in people]
    score = np.mean([person.constant for person in people])
    return f"| {name} ± constant, in hindsight | {np.mean(covered):.0%} ({min(covered):.0%}) | - | {score:.1%} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comparison", type=Path)
    parser.add_argument("--people", type=int, default=200, help="virtual people whose quantiles are taken")
    asked = parser.parse_args()
    folder = read_comparison(asked.comparison)
    content = comparison_content(folder)
    shipped = read_anatomy(folder.manifest["anatomy"]["name"])
    anatomy = read_anatomy(shipped.name, ignored=set(shipped.muscles) - set(folder.manifest["anatomy"]["muscles"]))
    quantiles = population_quantiles(content, anatomy, asked.people)
    for muscle in content.deep:
        print(f"\n**{muscle}**\n\n| band | holds (worst person) | width | interval score |\n|---|---:|---:|---:|")
        for method in content.methods:
            people = bands_of(content, answers_of(content, method), muscle)
            if people:
                print(row(f"`{method}`", people))
                print(constant_row(f"`{method}`", people))
        copied = bands_of(content, with_others_errors(answers_of(content, FLOOR), muscle), muscle)
        if copied:
            print(row("`copy`, band of its errors in others", copied))
        everybody = bands_of(content, [of_population(subject, quantiles) for subject in content.subjects], muscle)
        print(row("virtual people at that load", everybody))


if __name__ == "__main__":
    main()
