"""People who work as no teacher of the prior does: ``python benchmarks/strangers.py [--people 24] [--prior FILE] [NAME ...]``.

Ten rules of control that are not among the families of the simulator, in its bodies and laboratories, rigid and stretching tendons. For
each muscle a table in Markdown: error over the copy's by method (geometric mean over people; the same after one scalar a person), the wins
of the learned prior, the share of samples that its 90 % bands hold (mean, least), how many people's hold less than 60 % and how many of
these raised a flag, and how many raised one at all.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit

import profundus as pf
from profundus.io.anatomy import read_anatomy
from profundus.io.comparison_directory import read_comparison
from profundus.model.outside import PREFIX
from profundus.protocols.simulating import simulate_study
from profundus.records import PopulationSettings
from profundus.simulate.chance import between, log_between, slow_noise
from profundus.simulate.demand import Demand, Shares
from profundus.simulate.strategies import Strategy

METHODS = ("nmm", "copy", "copy_group", "population_regression")
DEEP = ("BRA", "TRImed")
LEAST_HELD = 0.6  # of the samples; who has less should be flagged
SEED, CLOCK_S = 77, 0.01
ARM = read_anatomy("arm26")
FIRST = np.isin(ARM.muscles, DEEP)  # the muscles that are recruited first

Chance = np.random.Generator
Floats = np.ndarray


class Way(NamedTuple):
    """How a person works: shares of the working side, co-contraction, and whether the working side has that, too.

    Slow changes are log ratios: ``own_drive`` the range of a muscle's own, ``common_drive`` that of all muscles alike.
    """

    shares: Floats
    contraction: Floats
    both_sides: bool = False
    own_drive: tuple[float, float] = (0.05, 0.18)
    common_drive: float = 0.0


Rule = Callable[[Chance, Demand, Floats], Way]
"""From what is demanded and usual co-contraction to how a person works."""


def heads(chance: Chance, sd: float = 0.2) -> Floats:
    return np.exp(sd * chance.normal(size=6))


def energy(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """As leverage over volume says, nearly the same in everybody."""
    volume = ARM.max_isometric_force * ARM.optimal_fiber_length
    return Way(heads(chance, 0.1) * demand.leverage / (volume / volume.mean()), usual)


def equal(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """All muscles of a side alike."""
    return Way(heads(chance, 0.08) * np.ones_like(demand.leverage), usual)


def recruited(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Medial triceps and brachialis first, the others beyond a threshold."""
    threshold, width = chance.uniform(0.03, 0.2), chance.uniform(0.03, 0.12)
    late = expit((np.abs(demand.effort) - threshold) / width)
    shares = heads(chance) * np.where(FIRST, 1.0, (0.12 + late) * chance.uniform(0.6, 1.2))
    return Way(shares, usual * np.array([0.5, 0.6, 1.6, 0.6, 0.6, 1.4]))


def velocity(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Muscles of two joints for fast shortening, those of one for slow work and lengthening."""
    gain, way = chance.uniform(0.2, 0.7), np.where(demand.single, -1.0, 1.0) * np.array([1.0, -0.5, 1.0, 1.0, 0.6, 1.0])
    return Way(heads(chance) * np.exp(gain * way * np.tanh(0.5 * demand.speed - 0.5)), usual)


def stiff(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Both sides held active, two and a half times as much as usual."""
    return Way(heads(chance) * np.ones_like(demand.leverage), 2.5 * usual, both_sides=True)


def drifting(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Shares that wander within trials and from one to the next."""
    count = len(demand.leverage)
    walk = np.cumsum(0.08 * chance.normal(size=(count, 1, 6)), axis=0)
    chance.shuffle(walk)
    ramp = np.linspace(-1.0, 1.0, demand.leverage.shape[1])[None, :, None] * chance.normal(size=(count, 1, 6))
    return Way(heads(chance) * np.exp(walk + 0.15 * ramp), usual)


def bursts(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Antagonists that brake, the medial triceps up to 60 ms late."""
    shares = heads(chance) * np.exp(0.3 * chance.normal(size=6) * (demand.flexion - 0.5))
    size, late = chance.uniform(0.01, 0.03), round(chance.uniform(0.0, 0.06) / CLOCK_S)
    braking = np.repeat(np.maximum(-np.gradient(demand.speed, CLOCK_S, axis=1), 0.0), 6, axis=2)
    braking[..., 2] = np.roll(braking[..., 2], late, axis=1)
    return Way(shares, 0.7 * usual + size * braking * heads(chance, 0.3))


def common(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Shares that never change, and drives that are nearly the same in all muscles."""
    shares = heads(chance, 0.3) * np.ones_like(demand.leverage)
    return Way(shares, usual, own_drive=(0.02, 0.06), common_drive=0.12)


def taking_turns(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Muscles of a side relieve each other, slowly: some are more active while others are less."""
    swing = slow_noise(chance, demand.effort.shape, step=CLOCK_S, low_hz=0.05, high_hz=0.4)
    party = chance.permuted(np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0]))
    return Way(heads(chance) * np.exp(0.35 * party * swing) * np.ones_like(demand.leverage), usual)


def leading(chance: Chance, demand: Demand, usual: Floats) -> Way:
    """Medial triceps and brachialis 40 to 100 ms before the others."""
    early = round(chance.uniform(0.04, 0.1) / CLOCK_S)
    effort = np.abs(demand.effort) + 0.02
    coming = np.concatenate([effort[:, early:], np.repeat(effort[:, -1:], early, axis=1)], axis=1)
    return Way(heads(chance) * np.where(FIRST, np.clip(coming / effort, 0.3, 3.0), 1.0), usual)


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (energy, equal, recruited, velocity, stiff, drifting, bursts, common, taking_turns, leading)
}


def control(rule: Rule) -> Callable[[Demand, PopulationSettings, Chance, float], Strategy]:
    """Return who decides by a rule; antagonists are heads with slopes over the angle, drives slow, as in the simulator."""

    def decided(demand: Demand, settings: PopulationSettings, chance: Chance, clock: float) -> Strategy:
        level, with_load, with_speed = log_between(chance, (0.02, 0.08)), *chance.uniform((0.1, 0.1), (0.6, 0.5))
        usual = level * (1.0 + with_load * demand.load_kg + with_speed * demand.speed)
        way = rule(chance, demand, usual)
        own = between(chance, way.own_drive)
        slow = {"step": clock, "low_hz": 0.05, "high_hz": 1.0}
        drive = np.exp(own * slow_noise(chance, demand.leverage.shape, **slow))
        drive = drive * np.exp(way.common_drive * slow_noise(chance, demand.effort.shape, **slow))
        flexing = expit(demand.effort / 0.03)
        rest = way.contraction * heads(chance) * np.exp(0.3 * chance.normal(size=6) * (demand.flexion - 0.5))
        base = rest * (1.0 if way.both_sides else np.where(demand.sign > 0, 1.0 - flexing, flexing))
        shares = np.broadcast_to(way.shares, demand.leverage.shape)
        sides = (np.where(side, shares, 0.0) for side in (demand.sign > 0, demand.sign < 0))
        return Strategy(Shares(*(drive * part for part in (base, *sides))), {"family": rule.__name__})

    return decided


def compared(name: str, folder: Path, asked: argparse.Namespace) -> pf.Comparison:
    """Simulate people of a rule and put all methods on them."""
    settings = PopulationSettings(tendon="mixed", rate_hz=1.0 / CLOCK_S)
    lab = simulate_study(
        folder / name,
        settings,
        people=asked.people,
        seed=SEED,
        measured=("TRIlong", "TRIlat", "BIClong", "BICshort"),
        control=control(RULES[name]),
    )
    if asked.prior:
        text = lab.study_file.read_text(encoding="utf-8")
        lab.study_file.write_text(f'{text}\n[fit]\nprior = "{asked.prior.resolve()}"\n', encoding="utf-8")
    return pf.compare(lab.study_file, out=folder / f"{name}_compared", methods=METHODS)


def strangers(found: pf.Comparison) -> set[str]:
    """Return who raised a flag for being unlike the prior's teachers."""
    noted = read_comparison(found.path).noted
    return {
        subject
        for subject, methods in noted.items()
        if any(flag["name"].startswith(PREFIX) for flag in methods["nmm"]["flags"])
    }


def main() -> None:
    """Simulate, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RULES))
    parser.add_argument("--people", type=int, default=24, help="of each rule")
    parser.add_argument("--prior", type=Path, help="a learned prior other than the shipped one")
    asked = parser.parse_args()
    began, rows = time.perf_counter(), {muscle: [] for muscle in DEEP}
    for name in asked.names or RULES:
        with tempfile.TemporaryDirectory() as folder:
            found = compared(name, Path(folder), asked)
            errors, courses, scores = found.paired(), found.paired(by="rmse_scaled"), found.scores
            flagged = strangers(found)
        ours = scores[(scores.method == "nmm") & (scores.role == "test") & (scores.trial == "all")]
        for muscle in DEEP:
            table, shape = (frame[frame.name == muscle].set_index("method") for frame in (errors, courses))
            held = ours[ours.name == muscle].set_index("subject").coverage90
            missed = held.index[held < LEAST_HELD]
            told = [f"{table.ratio[method]:.2f} ({shape.ratio[method]:.2f})" for method in METHODS if method != "copy"]
            wins = f"{table.wins['nmm']} of {table.people['nmm']}"
            bands = f"{held.mean():.0%} ({held.min():.0%}) | {len(missed)}, {len(flagged.intersection(missed))}"
            rows[muscle].append(f"| `{name}` | {' | '.join(told)} | {wins} | {bands} | {len(flagged)} |")
        print(f"{time.perf_counter() - began:.0f} s  {name}", file=sys.stderr, flush=True)
    for muscle in DEEP:
        head = " | ".join(f"`{method}`" for method in METHODS if method != "copy")
        print(
            f"\n**{muscle}**\n\n| rule | {head} | wins | 90 % band holds | less than 60 %, flagged | flagged of all |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        print("\n".join(rows[muscle]))


if __name__ == "__main__":
    main()
