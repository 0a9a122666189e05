"""Wrong inputs and people unlike all others raise flags that name what is strange; ordinary people raise none."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from profundus.model import deep_posterior, outside
from profundus.model.clocks import LATE_S, SLOW
from profundus.model.prior import DeepPrior
from profundus.model.strangeness import DIRECT, marks
from profundus.model.windows import Windows
from profundus.pretrain.learning import People
from profundus.pretrain.strangeness import reference
from profundus.records import LearningSettings

GROUPS = ("extensors", "extensors", "extensors", "flexors", "flexors", "flexors")
USUAL = np.array([True, False, False, True, True, False])
MOST = np.array([-14.0, -12.0, -12.0, 24.0, 17.0, 17.0])  # N.m at full activation
LOADS = (0.0, 0.0, 2.0, 2.0, 4.0, 4.0)
LIMB, PER_KG = 2.7, 3.24  # N.m per sin(angle): a forearm, and a kg at 0.33 m


def made_up(seed: int, loads=LOADS) -> Windows:
    """Return windows of a person whose flexors lift a pendulum while his extensors hold against them."""
    chance = np.random.default_rng([seed, 11])
    strength = np.exp(0.25 * chance.normal() + 0.15 * chance.normal(size=6))
    heads, held = np.exp(0.15 * chance.normal(size=6)), 0.05 * np.exp(0.3 * chance.normal())
    limb, lead = LIMB * np.exp(0.08 * chance.normal()), chance.uniform(0.06, 0.12)
    time = np.arange(SLOW.samples) / SLOW.hz
    rows = []
    for load in loads:
        pace, start = 2.0 * np.pi * chance.uniform(0.25, 0.5), chance.uniform(0.0, 6.0, 2)

        def motion(t, pace=pace, start=start):
            angle, velocity, acceleration = 1.1, 0.0, 0.0
            for size, fast, begin in ((0.6, pace, start[0]), (0.12, 3.1 * pace, start[1])):
                angle = angle + size * np.sin(fast * t + begin)
                velocity = velocity + size * fast * np.cos(fast * t + begin)
                acceleration = acceleration - size * fast**2 * np.sin(fast * t + begin)
            return np.stack([angle, velocity, acceleration], axis=-1)

        def moment(t, load=load, motion=motion):
            angle, _, acceleration = motion(t).T
            return (limb + load * PER_KG) * np.sin(angle) + (0.07 + 0.11 * load) * acceleration

        def capacity(t, motion=motion):
            return MOST * (0.75 + 0.25 * np.sin(motion(t)[:, :1]))

        then = time + lead  # when the muscles have become what the envelopes ask for
        real = strength * capacity(then)
        against = held * (1.0 + 0.2 * load) * heads[:3]
        wanted = (moment(then) - real[:, :3] @ against)[:, None]
        lifting = np.maximum(wanted, 0.3) * heads[3:] / (real[:, 3:] @ heads[3:])[:, None]
        active = np.concatenate([np.broadcast_to(against, lifting.shape), lifting], axis=1)
        noise = gaussian_filter1d(chance.normal(size=active.shape), 0.7, axis=0)
        fast = np.log(active) + 0.06 * noise
        late = time + LATE_S
        error = 0.15 * gaussian_filter1d(chance.normal(size=SLOW.samples), 1.0)
        rows.append(
            (fast, fast, motion(time), moment(late) + error, load, np.repeat(capacity(late)[:, None], 2, axis=1))
        )
    fast, slow, moved, moments, load, capacities = (np.stack(column) for column in zip(*rows, strict=True))
    return Windows(
        fast, slow, moved, moments, load, capacities, np.zeros((*moments.shape, 2)),
        np.ones(moments.shape, bool), np.full(len(load), 0.08),
    )  # fmt: skip


@pytest.fixture(scope="module")
def prior() -> DeepPrior:
    """Return a prior without a network that knows 160 made-up people."""
    windows = Windows(*(np.stack(field) for field in zip(*(made_up(seed) for seed in range(160)), strict=True)))
    people = People(windows, np.zeros((*windows.fast.shape,)))
    known = reference(people, USUAL, GROUPS, seed=1, counts=(6,))
    names = ("A", "B", "C", "D", "E", "F")
    nothing = np.ones(6)
    return DeepPrior(
        None, None, names, GROUPS, ("elbow",), ("A", "D", "E"), nothing, nothing, nothing, np.eye(6),
        LearningSettings(), known,
    )  # fmt: skip


def flagged(windows: Windows, prior: DeepPrior, electrodes=USUAL) -> dict[str, str]:
    """Return the muscles of each flag, by the flag's name."""
    seen = np.broadcast_to(electrodes, (len(windows.load), 6))
    found = outside.flags("sub-01", prior, deep_posterior.Context(windows, seen))
    assert all(flag.subject == "sub-01" and "people" in flag.why for flag in found)
    return {flag.name: flag.muscle for flag in found}


def louder(windows: Windows, muscles: list[int], factor: float) -> Windows:
    off = np.zeros(6)
    off[muscles] = np.log(factor)
    return windows._replace(fast=windows.fast + off, slow=windows.slow + off)


def exchanged(windows: Windows, one: int, other: int) -> Windows:
    order = np.arange(6)
    order[[one, other]] = other, one
    return windows._replace(fast=windows.fast[..., order], slow=windows.slow[..., order])


def late(windows: Windows, samples: int) -> Windows:
    fast = np.concatenate([np.repeat(windows.fast[:, :1], samples, axis=1), windows.fast[:, :-samples]], axis=1)
    return windows._replace(fast=fast)


def mistaken(windows: Windows, kg: float) -> Windows:
    hanging = np.sin(windows.motion[..., 0] + LATE_S * windows.motion[..., 1])
    return windows._replace(load=windows.load + kg, moment=windows.moment + kg * PER_KG * hanging)


def one_wrong(windows: Windows) -> Windows:
    load = windows.load.copy()
    load[3] += 2.0
    return windows._replace(load=load)


def turns(windows: Windows) -> Windows:
    wave = np.sin(2.0 * np.pi * np.arange(SLOW.samples) / SLOW.hz)[None, :, None]
    return windows._replace(fast=windows.fast + wave * np.array([0.0, 0.0, 0.0, 1.2, -1.2, 0.0]))


def noisy(windows: Windows) -> Windows:
    return windows._replace(fast=windows.fast + 0.3 * np.random.default_rng(0).normal(size=windows.fast.shape))


def smooth(windows: Windows) -> Windows:
    return windows._replace(fast=gaussian_filter1d(windows.fast, 1.5, axis=1))


WRONG = {
    "moment_sign": lambda w: w._replace(moment=-w.moment),
    "delay": lambda w: late(w, 2),
    "electrode_swap": lambda w: exchanged(w, 0, 3),
    "load": lambda w: mistaken(w, 2.0),
    "strength": lambda w: louder(w, [0, 3, 4], 0.1),
    "electrode_gain": lambda w: louder(w, [3], 4.0),
    "strategy": turns,
    "envelope_noise": noisy,
}


@pytest.mark.parametrize("seed", [1001, 1002, 1003, 1004])
def test_ordinary_people_raise_no_flag(prior, seed):
    assert flagged(made_up(seed), prior) == {}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("seed", [1001, 1002, 1003])
def test_a_wrong_input_raises_its_flag(prior, name, seed):
    assert f"outside_{name}" in flagged(WRONG[name](made_up(seed)), prior)


@pytest.mark.parametrize(
    "wrong", [one_wrong, lambda w: w._replace(load=w.load + 2.0), lambda w: w._replace(moment=3.0 * w.moment)]
)
def test_loads_that_do_not_fit_their_moments_raise_a_flag(prior, wrong):
    assert "outside_load" in flagged(wrong(made_up(1001)), prior)


def test_artificially_smooth_envelopes_raise_a_flag(prior):
    assert "outside_envelope_noise" in flagged(smooth(made_up(1001)), prior)


def test_the_muscles_that_are_suspected_are_named(prior):
    assert flagged(exchanged(made_up(1001), 0, 3), prior)["outside_electrode_swap"] == "A, D"
    assert flagged(louder(made_up(1001), [3], 4.0), prior)["outside_electrode_gain"] == "D"


def test_a_prior_without_a_reference_raises_nothing(prior):
    silent = DeepPrior(**{**vars(prior), "strangeness": {}})
    assert flagged(WRONG["moment_sign"](made_up(1001)), silent) == {}


def test_one_electrode_less_is_judged_by_people_who_have_one_less(prior):
    fewer = USUAL & (np.arange(6) != 4)
    assert flagged(made_up(1001), prior, fewer) == {}
    assert "outside_moment_sign" in flagged(WRONG["moment_sign"](made_up(1001)), prior, fewer)


def test_without_moments_only_envelopes_are_judged(prior):
    silent = made_up(1001)._replace(moment=np.zeros((6, SLOW.samples)))
    found = marks(silent, np.broadcast_to(USUAL, (6, 6)), GROUPS)
    assert [name for name in DIRECT if np.isfinite(found[name])] == ["envelope_noise"]
    raised = set(flagged(noisy(silent), prior))
    assert "outside_envelope_noise" in raised
    assert (
        not {"outside_moment_sign", "outside_delay", "outside_electrode_swap", "outside_load", "outside_strength"}
        & raised
    )


def test_without_maximal_contractions_levels_are_nobodys_fault(prior):
    unsure = louder(made_up(1001), [3], 4.0)._replace(scale_sd=np.full(6, 0.8))
    assert not {"outside_electrode_gain", "outside_strength", "outside_strategy"} & set(flagged(unsure, prior))


@pytest.mark.parametrize("seed", range(1001, 1007))
def test_ordinary_people_with_one_load_or_unknown_loads_raise_no_flag(prior, seed):
    unknown = made_up(seed)._replace(load=np.full(6, np.nan))
    assert flagged(unknown, prior) == {}
    assert flagged(made_up(seed, loads=(2.0,) * 6), prior) == {}


def test_neither_the_order_of_trials_nor_their_repetition_changes_marks():
    windows, seen = made_up(1001), np.broadcast_to(USUAL, (6, 6))
    found = marks(windows, seen, GROUPS)
    for order in (np.array([3, 0, 5, 1, 4, 2]), np.tile(np.arange(6), 2)):
        again = marks(Windows(*(field[order] for field in windows)), np.broadcast_to(USUAL, (len(order), 6)), GROUPS)
        del again["windows"]
        assert again == pytest.approx({name: found[name] for name in again}, rel=1e-6, abs=1e-8, nan_ok=True)


def test_the_limb_and_the_load_are_found_in_the_moment():
    windows = made_up(1001)._replace(moment=np.zeros((6, SLOW.samples)))
    angle, _, acceleration = np.moveaxis(windows.motion, -1, 0)
    shares = (
        1.0 - LATE_S * SLOW.hz,
        LATE_S * SLOW.hz,
    )  # straight lines between samples, as the moment's later clock is met
    later = [shares[0] * v + shares[1] * np.concatenate([v[:, 1:], v[:, -1:]], axis=1) for v in (angle, acceleration)]
    kg = windows.load[:, None]
    moment = (LIMB + PER_KG * kg) * np.sin(later[0]) + (0.07 + 0.11 * kg) * later[1]
    found = marks(windows._replace(moment=moment), np.broadcast_to(USUAL, (6, 6)), GROUPS)
    assert found["load_limb"] == pytest.approx(LIMB, rel=1e-6)
    assert found["load_per_kg"] == pytest.approx(PER_KG, rel=1e-6)
    assert found["load_trial"] == pytest.approx(0.0, abs=1e-6)


def test_the_delay_is_found_in_made_up_people():
    """They lead by 60 to 120 ms; what a trial tells of it is held against a usual 90 ms."""
    for samples in (1, 2):
        for seed in range(3):
            seen = np.broadcast_to(USUAL, (6, 6))
            as_is, moved = (marks(w, seen, GROUPS)["lead"] for w in (made_up(seed), late(made_up(seed), samples)))
            assert as_is == pytest.approx(0.09, abs=0.05)
            assert moved - as_is == pytest.approx(-samples / SLOW.hz, abs=0.06)
