"""How close anybody could get: an estimator that knows a virtual person's body and control strategy, and sees only the electrodes.

    python benchmarks/oracle.py [--people 60] [--seed 8]

A person is simulated twice, with the slow drives that are each muscle's own and without. Without them, body and strategy alone decide every
excitation: that is what the oracle knows. What is left are the drives, of which the four envelopes (and the moment that all muscles must
make together) tell a part: the oracle's posterior mean is linear in their deviations, learned on half of the people and judged on the
rest. Prints its error over the copy's, and the error of a learned prior on the same trials.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from sklearn.linear_model import Ridge

from profundus.io.anatomy import read_anatomy
from profundus.io.shipped import shipped_prior
from profundus.io.weights import read_arrays
from profundus.model.context import context_of
from profundus.model.deep_posterior import deep_posteriors
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.prior_file import prior_from_arrays
from profundus.protocols.models import copy_of_nearest
from profundus.records import PopulationSettings
from profundus.simulate import seen_with, simulate_people

ELECTRODES = ("TRIlong", "TRIlat", "BIClong", "BICshort")
DEEP = ("BRA", "TRImed")
FLOOR = 0.002
ENDS = 30  # samples that scores leave out


def main() -> None:
    """Simulate, estimate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--seed", type=int, default=8)
    asked = parser.parse_args()
    anatomy = read_anatomy("arm26")
    model = MusculoskeletalModel(anatomy)
    path = shipped_prior("arm26")
    prior = prior_from_arrays(*read_arrays(path), file=str(path)) if path else None
    settings = PopulationSettings(trials={"curls": 2, "steps": 1, "pulses": 1}, tendon="mixed")
    pairs = zip(
        simulate_people(anatomy, model.geometry, settings, seed=asked.seed, count=asked.people),
        simulate_people(
            anatomy, model.geometry, replace(settings, drive_sd=(0.0, 0.0)), seed=asked.seed, count=asked.people
        ),
        strict=True,
    )
    same = [
        (one, known) for one, known in pairs if one.facts["max_isometric_force"] == known.facts["max_isometric_force"]
    ]
    muscles = anatomy.muscles
    seen = np.array([muscles.index(name) for name in ELECTRODES])
    half = len(same) // 2
    found: dict[str, list[list[float]]] = {}
    for name in DEEP:
        column = muscles.index(name)
        rows = [_rows(one, known, seen, column) for one, known in same]
        rule = Ridge(alpha=1.0).fit(
            np.concatenate([x for x, _ in rows[:half]]), np.concatenate([y for _, y in rows[:half]])
        )
        for one, known in same[half:]:
            trials = seen_with(one.trials, ELECTRODES)
            tested = [i for i, trial in enumerate(trials) if trial.role == "test"]
            truth = np.concatenate([trials[i].truth[ENDS:-ENDS, column] for i in tested])
            oracle = np.concatenate(
                [_oracle(one.trials[i], known.trials[i], seen, column, rule)[ENDS:-ENDS] for i in tested]
            )
            body = np.concatenate([known.trials[i].truth[ENDS:-ENDS, column] for i in tested])
            copied = copy_of_nearest(trials, anatomy, model)
            copy = np.concatenate([copied.trials[i].excitation[ENDS:-ENDS, column] for i in tested])
            answers = {"oracle": oracle, "oracle without the envelopes": body}
            if prior is not None:
                context = context_of([t for t in trials if t.role == "fit"], model)
                asked_for = deep_posteriors(prior, context, [trials[i] for i in tested], model)
                answers["learned prior"] = np.concatenate([np.exp(a.middle[ENDS:-ENDS, column]) for a in asked_for])
            for who, answer in answers.items():
                scale = float(truth @ answer / (answer @ answer))
                errors = [_rmse(answer, truth), _rmse(scale * answer, truth)]
                found.setdefault(f"{name}: {who}", []).append(
                    [*(np.log(e / _rmse(copy, truth)) for e in errors), np.log(scale)]
                )
    print(
        f"{len(same) - half} people (learned from {half} others), seed {asked.seed}; RMSE over that of the copy, geometric mean\n"
    )
    print("| muscle: who | RMSE / copy | after one scalar | rms log error of the level |\n|---|---|---|---|")
    for who, errors in found.items():
        values = np.array(errors)
        both = np.exp(values[:, :2].mean(axis=0))
        print(f"| {who} | {both[0]:.2f} | {both[1]:.2f} | {np.sqrt(np.mean(values[:, 2] ** 2)):.2f} |")


def _deviation(trial, known, columns):
    """Return how far smoothed log envelopes (time, column) are from what body and strategy alone would make."""
    envelope = gaussian_filter1d(np.maximum(trial.emg[:, columns], FLOOR), 0.1 / trial.step, axis=0)
    return np.log(envelope) - np.log(np.maximum(known.truth[:, columns], FLOOR))


def _rows(one, known, seen, column):
    inputs, outputs = [], []
    for trial, alone in zip(one.trials, known.trials, strict=True):
        inputs.append(_deviation(trial, alone, seen)[ENDS:-ENDS:10])
        outputs.append(
            np.log(
                np.maximum(trial.truth[ENDS:-ENDS:10, column], FLOOR)
                / np.maximum(alone.truth[ENDS:-ENDS:10, column], FLOOR)
            )
        )
    return np.concatenate(inputs), np.concatenate(outputs)


def _oracle(trial, known, seen, column, rule):
    return known.truth[:, column] * np.exp(rule.predict(_deviation(trial, known, seen)))


def _rmse(answer, truth):
    return float(np.sqrt(np.mean((answer - truth) ** 2)))


if __name__ == "__main__":
    main()
