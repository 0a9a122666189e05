"""How often wrong inputs raise a flag: ``python benchmarks/wrong_inputs.py (--prior FILE | --people FOLDER) [--study study.toml]``.

Fresh virtual people, and a study's, with one thing wrong in their trials to fit; a table in Markdown with the share of people in whom any
flag rises and the flags that rise most. The first row, people as they are, is the share of false alarms. ``--people`` is the folder of a
pretraining, whose people make the reference; ``--prior`` a learned prior that holds one.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from profundus.io.anatomy import read_anatomy
from profundus.io.study_file import read_study
from profundus.io.weights import read_arrays
from profundus.model.context import MOST_CONTEXT, context_of
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.outside import outside
from profundus.model.prior_file import STRANGE
from profundus.model.strangeness import marks
from profundus.pretrain.learning import People
from profundus.pretrain.strangeness import MOST, reference
from profundus.pretrain.teachers import laboratory, windows_from
from profundus.protocols.models import model_of
from profundus.records import Recipe, TeachersSettings, Trial
from profundus.signal import assemble_trials, emg_scale
from profundus.simulate import seen_with, simulate_people
from profundus.simulate.limb import ARM26_FOREARM, limb_moment

Trials = Sequence[Trial]
Wrong = Callable[[Trials], Trials]
RECIPE = Recipe(seed=20_260)
BLOCK = 10  # people of a laboratory
TRI, BIC = ("TRIlong", "TRIlat"), ("BIClong", "BICshort")


def each(change: Callable[[Trial], Trial]) -> Wrong:
    return lambda trials: [change(trial) for trial in trials]


def with_emg(change: Callable[[Trial, np.ndarray], np.ndarray]) -> Wrong:
    return each(lambda trial: replace(trial, emg=change(trial, trial.emg.copy())))


def exchanged(pairs: Sequence[tuple[str, str]]) -> Wrong:
    def change(trial: Trial, emg: np.ndarray) -> np.ndarray:
        for pair in pairs:
            one, other = (trial.muscles.index(name) for name in pair)
            emg[:, [one, other]] = emg[:, [other, one]]
        return emg

    return with_emg(change)


def scaled(names: Sequence[str], factor: float) -> Wrong:
    return with_emg(lambda trial, emg: np.where(np.isin(trial.muscles, names), np.maximum(factor * emg, 0.003), emg))


def moved(seconds: float) -> Wrong:
    def change(trial: Trial, emg: np.ndarray) -> np.ndarray:
        late = round(seconds / trial.step)
        return np.concatenate([np.repeat(emg[:1], late, axis=0), emg[:-late]])

    return with_emg(change)


def loaded(kg: float, *, moment: bool, only: int | None = None) -> Wrong:
    """Return trials whose load is stated wrong; ``moment``: inverse dynamics believed it, too."""

    def change(trial: Trial) -> Trial:
        own = [limb_moment(ARM26_FOREARM, trial.angle, trial.acceleration, load) for load in (0.0, kg)]
        wrong = trial.moment + (own[1] - own[0] if moment else 0.0)
        return replace(trial, load_kg=trial.load_kg + kg, moment=wrong)

    return lambda trials: [change(t) if only is None or i == only else t for i, t in enumerate(trials)]


def bursts(trial: Trial, emg: np.ndarray) -> np.ndarray:
    """Return envelopes whose two heads of a group take turns, once a second."""
    turn = gaussian_filter1d((np.sin(2.0 * np.pi * trial.time) > 0).astype(float), 0.08 / trial.step)[:, None]
    first = np.isin(trial.muscles, (TRI[0], BIC[0]))
    return emg * np.where(first, 0.1 + 1.8 * turn, 0.1 + 1.8 * (1.0 - turn))


def stiff(trial: Trial, emg: np.ndarray) -> np.ndarray:
    """Return envelopes with triceps at 40 %, and biceps against it."""
    noise = 0.06 * np.random.default_rng(1).normal(size=emg.shape)
    emg = np.where(np.isin(trial.muscles, TRI), 0.4 * (1.0 + gaussian_filter1d(noise, 2.0, axis=0)), emg)
    return np.where(np.isin(trial.muscles, BIC), emg + 0.28, emg)


def rough(_: Trial, emg: np.ndarray) -> np.ndarray:
    return np.maximum(emg * (1.0 + 0.5 * np.random.default_rng(2).normal(size=emg.shape)), 0.002)


CASES: dict[str, Wrong] = {
    "as they are": lambda trials: trials,
    "moment of the wrong sign": each(lambda t: replace(t, moment=-t.moment)),
    "envelopes 200 ms late": moved(0.2),
    "envelopes 100 ms late": moved(0.1),
    "one biceps and one triceps electrode exchanged": exchanged([("TRIlong", "BIClong")]),
    "both biceps and both triceps electrodes exchanged": exchanged([("TRIlong", "BIClong"), ("TRIlat", "BICshort")]),
    "two neighbors (biceps heads) exchanged": exchanged([BIC]),
    "load stated 2 kg too high in all trials": loaded(2.0, moment=False),
    "the same, inverse dynamics believes it": loaded(2.0, moment=True),
    "load stated 2 kg too high in one trial": loaded(2.0, moment=False, only=4),
    "the same, inverse dynamics believes it too": loaded(2.0, moment=True, only=4),
    "moment x 3": each(lambda t: replace(t, moment=3.0 * t.moment)),
    "moment x 3, loads not stated": each(lambda t: replace(t, moment=3.0 * t.moment, load_kg=float("nan"))),
    "MVC of one biceps head too small (envelope x 3)": scaled(BIC[:1], 3.0),
    "MVC of one biceps head too large (envelope / 3)": scaled(BIC[:1], 1.0 / 3.0),
    "MVC of one triceps head too small (envelope x 3)": scaled(TRI[:1], 3.0),
    "MVC of one triceps head too large (envelope / 3)": scaled(TRI[:1], 1.0 / 3.0),
    "two of four electrodes dead": scaled((TRI[1], BIC[1]), 0.0),
    "heads of a muscle in alternating bursts": with_emg(bursts),
    "triceps at 40 % throughout, biceps against it": with_emg(stiff),
    "10 x strength (all envelopes / 10)": scaled((*TRI, *BIC), 0.1),
    "white noise of 50 % in the envelopes": with_emg(rough),
    "envelopes low-passed at 1 Hz": with_emg(lambda t, emg: gaussian_filter1d(emg, 0.13 / t.step, axis=0)),
}


def virtual(count: int, model: MusculoskeletalModel) -> Iterator[Trials]:
    recipe = replace(RECIPE, teachers=TeachersSettings(people=max(count, 40), block=BLOCK))
    for block in range(-(-count // BLOCK)):
        settings = laboratory(recipe, block)
        made = simulate_people(
            read_anatomy(recipe.anatomy), model.geometry, settings, seed=recipe.seed, count=BLOCK, first=block * BLOCK
        )
        yield from (seen_with(person.trials, recipe.electrodes) for person in made)


def studied(path: Path) -> tuple[list[Trials], MusculoskeletalModel]:
    study = read_study(path)
    anatomy, model = model_of(study)
    people = []
    for subject in study.subjects:
        trials = assemble_trials(study, subject, anatomy.muscles, scale=emg_scale(study, subject))
        people.append([trial for trial in trials if trial.role == "fit"])
    return people, model


def known(asked: argparse.Namespace, groups: tuple[str, ...], muscles: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the reference of a prior, or of a pretraining's people."""
    if asked.prior is not None:
        arrays, _ = read_arrays(asked.prior)
        return {name.removeprefix(STRANGE): array for name, array in arrays.items() if name.startswith(STRANGE)}
    blocks = sorted((asked.people / "people").glob("block_*.safetensors"))
    arrays = [read_arrays(path)[0] for path in blocks[:: max(1, len(blocks) * 50 // asked.most)]]
    whole = {name: np.concatenate([block[name] for block in arrays]) for name in arrays[0]}
    return reference(
        People(*windows_from(whole)[:2]), np.isin(muscles, RECIPE.electrodes), groups, seed=1, most=asked.most
    )


def table(
    people: Iterator[Trials] | list[Trials],
    model: MusculoskeletalModel,
    told: dict[str, np.ndarray],
    groups: tuple[str, ...],
) -> None:
    raised: dict[str, list[list[str]]] = {name: [] for name in CASES}
    for trials in people:
        for name, wrong in CASES.items():
            context = context_of(wrong(trials), model, most=MOST_CONTEXT)
            found = outside(marks(context.windows, context.seen, groups), told)
            raised[name].append([one.name for one in found])
    print("| wrong input | people | any flag | flags that rise in most of them |\n|---|---:|---:|---|")
    for name, lists in raised.items():
        most = Counter(flag for flags in lists for flag in flags).most_common(3)
        shown = ", ".join(f"`outside_{flag}` {times / len(lists):.0%}" for flag, times in most)
        print(f"| {name} | {len(lists)} | {np.mean([bool(flags) for flags in lists]):.1%} | {shown} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--prior", type=Path, help="prior.safetensors")
    source.add_argument("--people", type=Path, help="folder of a pretraining")
    parser.add_argument("--most", type=int, default=MOST, help="people who make the reference")
    parser.add_argument("--held-out", type=int, default=200, help="fresh virtual people who are asked about")
    parser.add_argument("--study", type=Path, help="a study whose people are asked about, too")
    asked = parser.parse_args()
    began = time.perf_counter()
    anatomy = read_anatomy(RECIPE.anatomy)
    model = MusculoskeletalModel(anatomy)
    told = known(asked, anatomy.groups, anatomy.muscles)
    print(f"{time.perf_counter() - began:.0f} s  reference", file=sys.stderr, flush=True)
    table(virtual(asked.held_out, model), model, told, anatomy.groups)
    if asked.study is not None:
        people, own = studied(asked.study)
        print(f"\n{asked.study.parent.name}:\n")
        table(people, own, told, anatomy.groups)
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
