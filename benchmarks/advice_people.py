"""Virtual people for `advice.py`: a small study each, every trial that could be advised, and maximal contractions of their deep muscles."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np

from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import Anatomy, GivenMotion, PopulationSettings, Trial, VirtualPerson
from profundus.simulate import measurement, seen_with, simulate_people
from profundus.simulate.chance import stream
from profundus.simulate.forces import activated, muscles
from profundus.simulate.limb import ARM26_FOREARM
from profundus.simulate.measurement import Electrodes
from profundus.simulate.motion import KINDS, angles
from profundus.simulate.person import Body, Person, drawn_person
from profundus.simulate.population import STRONGER
from profundus.simulate.work import Tasks, moved_body

MEASURED, DEEP = ("TRIlong", "TRIlat", "BIClong", "BICshort"), ("BRA", "TRImed")
LOADS_KG = (0.0, 2.0, 4.0)
FIT = (("curls", 0.0), ("curls", 0.0), ("curls", 2.0), ("curls", 2.0))
TEST = tuple((kind, load) for kind in ("curls", "pulses") for load in LOADS_KG)
SECONDS, RATE_HZ = 8.0, 100.0
RANGE = ((0.07, 0.5), (1.65, 2.1))  # rad: lower and upper end of a person's range
POSTURE, HOLD_S = 1.4, 4.0  # rad, s: of a maximal contraction
DOMINATES, OTHERS = (0.95, 0.08), (0.5, 0.95)  # its best half second (mean, sd), and the share of its synergists


@dataclass(frozen=True)
class Subject:
    """One person: a study's ``trials``, ``pool`` of what could be advised by name, ``maximal`` contractions by muscle.

    Trials have electrodes where a study has them, and in ``wire`` the envelopes that wires would have shown.
    """

    id: str
    trials: tuple[Trial, ...]
    pool: dict[str, Trial]
    maximal: dict[str, Trial]


def pool_name(motion: str, load_kg: float, reach: str) -> str:
    """Return the name of a trial of the pool."""
    return f"{motion}_{load_kg:g}_{reach.replace(' ', '_')}"


def people(anatomy: Anatomy, model: MusculoskeletalModel, *, count: int, seed: int) -> Iterator[Subject]:
    """Yield people of a fresh population, each with motions of his own."""
    for index in range(count):
        settings = PopulationSettings(given=_motions(anatomy, stream(seed, index, "trials")), rate_hz=RATE_HZ)
        (person,) = simulate_people(anatomy, model.geometry, settings, seed=seed, count=1, first=index)
        trials = [_wired(trial) for trial in person.trials]
        own = [replace(trial, role="fit" if i < len(FIT) else "test") for i, trial in enumerate(trials)]
        count_own = len(FIT) + len(TEST)
        pool = {trial.name: replace(trial, role="fit") for trial in trials[count_own:]}
        body = _again(person, anatomy, settings, seed, index).body
        maximal = {name: _maximal(name, person, body, anatomy, model) for name in DEEP}
        yield Subject(person.id, tuple(own[:count_own]), pool, maximal)


def _motions(anatomy: Anatomy, chance: np.random.Generator) -> tuple[GivenMotion, ...]:
    time = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    low, high = (chance.uniform(*ends) for ends in RANGE)
    joint = {c.name: c for c in anatomy.coordinates}[anatomy.default_coordinates[0]]
    inset = 0.1 * (joint.high - joint.low)
    middle = 0.5 * (joint.low + joint.high)
    reaches = {
        "full range": (joint.low + inset, joint.high - inset),
        "near extension": (joint.low + inset, middle),
        "near flexion": (middle, joint.high - inset),
    }
    own = [
        (f"{role}{n}", kind, load, low, high)
        for role, them in (("fit", FIT), ("test", TEST))
        for n, (kind, load) in enumerate(them)
    ]
    more = [
        (pool_name(kind, load, reach), kind, load, *ends)
        for reach, ends in reaches.items()
        for kind in KINDS
        for load in LOADS_KG
    ]
    return tuple(
        GivenMotion(name, angles(kind, chance, time, low=a, high=b)[:, None], None, load, kind)
        for name, kind, load, a, b in (*own, *more)
    )


def _wired(trial: Trial) -> Trial:
    (seen,) = seen_with([trial], MEASURED)
    return replace(seen, wire=np.where(np.isin(trial.muscles, DEEP), trial.emg, np.nan))


def _maximal(name: str, person: VirtualPerson, body: Body, anatomy: Anatomy, model: MusculoskeletalModel) -> Trial:
    """Return an isometric contraction in which a muscle reaches about its maximum, its synergists less, and all others little."""
    chance = stream(int(str(person.facts["seed"])), int(person.id[1:]), f"maximal {name}")
    time = np.arange(round(HOLD_S * RATE_HZ)) / RATE_HZ
    flexor = np.array(anatomy.groups) == anatomy.groups[anatomy.muscles.index(name)]
    share = np.where(flexor, chance.uniform(*OTHERS, len(flexor)), chance.uniform(0.02, 0.1, len(flexor)))
    share[anatomy.muscles.index(name)] = 1.0
    top = np.clip(DOMINATES[0] + DOMINATES[1] * chance.normal(), 0.3, 1.0)
    effort = np.clip(np.minimum(time / 1.5, (HOLD_S - time) / 1.0), 0.05, 1.0)
    excitation = np.clip(top * effort[:, None] * share, 0.01, 1.0)
    active = np.asarray(activated(body, jnp.asarray(excitation), step=1.0 / RATE_HZ))[None]
    still = np.zeros((1, len(time)))
    tasks = Tasks(still + POSTURE, still, still, still, np.zeros(1))
    moved = moved_body(body, tasks, model.geometry)
    state = muscles(body, moved, jnp.asarray(active), jnp.zeros_like(jnp.asarray(active)), step=1.0 / RATE_HZ).state
    moment = np.sum(np.asarray(moved.moment_arm) * np.asarray(state.tendon_force), axis=-1)[0]
    electrodes = Electrodes(*(np.array(person.facts[field]) for field in Electrodes._fields))
    emg = measurement.drawn_envelopes(excitation[None], electrodes, chance, rate_hz=RATE_HZ)[0]
    column = np.full((len(time), 1), POSTURE)
    known = np.ones(excitation.shape, dtype=bool)
    facts = (person.id, f"maximal_{name}", "fit", anatomy.muscles, model.coordinates, time)
    return _wired(
        Trial(*facts, column, 0.0 * column, 0.0 * column, emg, known, moment[:, None], known[:, :1], excitation)
    )


def _again(person: VirtualPerson, anatomy: Anatomy, settings: PopulationSettings, seed: int, index: int) -> Person:
    """Return the body of a person who was simulated, drawn again from the same stream."""
    chance = stream(seed, index, f"person {person.facts['redrawn']}")
    return drawn_person(anatomy, ARM26_FOREARM, settings, chance).stronger(STRONGER ** int(str(person.facts["eased"])))
