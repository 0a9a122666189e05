"""Virtual people: repeatable, in balance with their limb, and controlled as their family says."""

from dataclasses import replace
from functools import cache, partial

import jax
import numpy as np
import pytest

from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import GivenMotion, PopulationSettings
from profundus.simulate import seen_with, simulate_people
from profundus.simulate.chance import slow_noise, stream
from profundus.simulate.demand import Shares
from profundus.simulate.limb import ARM26_FOREARM, limb_moment
from profundus.simulate.motion import KINDS, angles, minimum_jerk
from profundus.simulate.strategies import Strategy
from profundus.simulate.work import single_joint

EXACT = {"angle_noise": 0.0, "moment_noise": 0.0, "moment_noise_per_kg": 0.0, "lever_sd": 0.0}
SHORT = PopulationSettings(trials={"curls": 1, "steps": 1}, loads_kg=(0.0, 4.0), seconds=4.0, muscle="thelen")
ARM = read_anatomy("arm26")


@cache
def model():
    return MusculoskeletalModel(ARM)


def people(settings=SHORT, *, count=1, seed=0, first=0):
    return list(simulate_people(ARM, model().geometry, settings, seed=seed, count=count, first=first))


def test_the_limb_needs_the_moment_that_opensim_computes(reference):
    path = reference / "oracle" / "arm26_opensim_inverse_dynamics_5s.csv"
    table = np.genfromtxt(path, delimiter=",", names=True)
    found = limb_moment(ARM26_FOREARM, table["elbow_rad"], table["elbow_rad_s2"])
    np.testing.assert_allclose(found, table["tau_elbow_solver_Nm"], atol=1e-4)


def test_a_held_load_adds_three_newton_meters_a_kilogram():
    flexed = np.full(3, np.pi / 2)
    held = [limb_moment(ARM26_FOREARM, flexed, 0.0 * flexed, load)[0] for load in (0.0, 1.0)]
    assert held == pytest.approx([2.727, 2.727 + 0.33 * 9.80665], abs=1e-3)


def test_minimum_jerk_is_at_rest_at_both_ends_and_halfway_in_the_middle():
    assert minimum_jerk(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    peak = np.gradient(minimum_jerk(np.linspace(0, 1, 1001)), 1e-3).max()
    assert peak == pytest.approx(1.875, rel=1e-4)  # Flash and Hogan 1985


@pytest.mark.parametrize("kind", KINDS)
def test_motions_stay_in_the_range_and_move(kind):
    time = np.arange(900) / 100
    for seed in range(20):
        angle = np.rad2deg(angles(kind, stream(seed, 0, "motion"), time, low=np.deg2rad(4), high=np.deg2rad(115)))
        assert angle.min() > 1.0
        assert angle.max() < 118.0
        assert np.ptp(angle) > 5.0


def test_slow_noise_has_unit_power_within_its_band():
    noise = slow_noise(stream(0, 0, "x"), (400, 800), step=0.01, low_hz=1.0, high_hz=3.0)
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    power = np.abs(np.fft.rfft(noise * np.hanning(800), axis=1)) ** 2
    frequency = np.fft.rfftfreq(800, 0.01)
    inside = (frequency > 0.7) & (frequency < 3.3)
    assert power[:, ~inside].sum() < 0.02 * power.sum()


def test_the_same_seed_gives_the_same_bits_however_many_people_there_are():
    three, alone = people(count=3), people(first=2, count=1)
    assert [person.id for person in three] == ["V00000", "V00001", "V00002"]
    assert alone[0].facts == three[2].facts
    for one, other in zip(alone[0].trials, three[2].trials, strict=True):
        for name in ("angle", "velocity", "emg", "moment", "truth"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert not np.array_equal(people(seed=1)[0].trials[0].truth, three[0].trials[0].truth)


@pytest.mark.parametrize("muscle", ["thelen", "degroote"])
@pytest.mark.parametrize("tendon", ["rigid", "compliant"])
def test_the_muscles_make_the_moment_that_the_limb_needs(muscle, tendon):
    for person in people(replace(SHORT, muscle=muscle, tendon=tendon, **EXACT), count=2, seed=4):
        limb = replace(
            ARM26_FOREARM,
            mass=person.facts["limb_mass"],
            lever=person.facts["load_lever"],
            center=ARM26_FOREARM.center * person.facts["load_lever"] / ARM26_FOREARM.lever,
            inertia=ARM26_FOREARM.inertia
            * (person.facts["limb_mass"] / ARM26_FOREARM.mass)
            * (person.facts["load_lever"] / ARM26_FOREARM.lever) ** 2,
        )
        for trial in person.trials:
            wanted = limb_moment(limb, trial.angle, trial.acceleration, trial.load_kg)
            free = (trial.truth > 0.0101).all(axis=1) & (trial.truth < 0.99).all(axis=1)
            free &= np.convolve(~free, np.ones(41), "same") == 0  # deactivation after a silence takes its time
            error = (trial.moment - wanted)[free, 0]
            assert np.sqrt(np.mean(error**2)) < 0.15 + 0.02 * np.ptp(wanted)


def test_a_stranger_s_model_agrees_on_the_moment_of_an_unvaried_person():
    plain = replace(
        SHORT, muscle="degroote", active_width=(0.5, 0.5), maximal_speed=(10.0, 10.0), odd_arms_share=0.0,
        strength_sd=0.0, muscle_strength_sd=0.0, optimal_length_range=0.0, slack_length_range=0.0, **EXACT,
    )  # fmt: skip
    person = next(p for p in people(plain, count=8) if p.facts["speed_follows_activation"] == 0.0)
    generic = model().generic_parameters
    values = {name: np.asarray(person.facts[name]) for name in vars(generic.muscles)}
    one = type(generic)(
        type(generic.muscles)(**values),
        type(generic.activation)(person.facts["shape_factor"], person.facts["time_constant"]),
    )
    ratio = person.facts["deactivation_ratio"]
    step = person.trials[0].step
    respond = jax.jit(partial(model().respond, step=step, muscle="degroote", deactivation_ratio=ratio))
    for trial in person.trials:
        answer = respond(trial.truth, model().geometry(trial.angle, trial.velocity), one)
        inner = slice(40, -40)  # the model does not know what was before the trial
        np.testing.assert_allclose(np.asarray(answer.joint_moment)[inner], trial.moment[inner], atol=0.15)


def test_synergies_leave_as_many_dimensions_as_there_are_synergies():
    settings = replace(SHORT, families={"synergies": 1}, drive_sd=(0.0, 0.0), delay=(0.06, 0.06), loads_kg=(3.0,))
    for person in people(settings, count=4):
        count = len(person.facts["control"]["synergies"])
        excitation = np.concatenate([trial.truth for trial in person.trials])
        free = (excitation > 0.0101).all(axis=1)
        parts = np.linalg.svd(excitation[free], compute_uv=False) ** 2
        assert parts[count:].sum() < 0.004 * parts.sum()
    driven = people(replace(settings, families={"effort": 1}, drive_sd=(0.18, 0.18)))[0]
    parts = np.linalg.svd(driven.trials[0].truth, compute_uv=False) ** 2
    assert parts[3:].sum() > 0.001 * parts.sum()


def test_a_mixture_holds_nothing_of_a_family_that_does_not_occur():
    settings = replace(SHORT, families={"mixture": 3, "angle_sharing": 1, "load_switch": 1}, loads_kg=(2.0,))
    controls = [person.facts["control"] for person in people(settings, count=6)]
    mixed = [control for control in controls if control["family"] == "mixture"]
    assert mixed
    for control in mixed:
        assert set(control["weights"]) == {"angle_sharing", "load_switch"}
        assert "effort" not in control


def test_a_control_of_ones_own_decides_how_people_share_the_work():
    asked = []

    def brachialis_alone(demand, settings, chance, step):
        asked.append((step, demand.leverage.shape[-1]))
        none = np.zeros_like(demand.leverage)
        alone = np.where(np.arange(6) == 5, 1.0, none)
        return Strategy(Shares(none, alone, np.where(demand.sign < 0, 1.0, none)), {"family": "mine"})

    settings = replace(SHORT, loads_kg=(0.0,), muscle_strength_sd=0.0)
    (person,) = simulate_people(ARM, model().geometry, settings, seed=3, count=1, control=brachialis_alone)
    assert set(asked) == {(1.0 / settings.rate_hz, 6)}
    assert person.facts["control"] == {"family": "mine"}
    for trial in person.trials:
        assert trial.truth[:, 3:5].max() < 0.0101
        assert trial.truth[:, 5].max() > 0.05


def test_every_motion_is_fitted_to_at_one_load_and_tested_at_another():
    trials = people(PopulationSettings(seconds=1.0))[0].trials
    for kind in ("curls", "steps", "pulses"):
        assert {trial.role for trial in trials if trial.motion == kind} == {"fit", "test"}
    assert sum(trial.role == "test" for trial in trials) == len(trials) // 3


def test_in_angle_sharing_brachialis_gains_on_biceps_with_flexion():
    settings = replace(SHORT, families={"angle_sharing": 1}, drive_sd=(0.0, 0.0), loads_kg=(2.0,))
    slopes = []
    for person in people(settings, count=6):
        trial = person.trials[0]
        ratio = np.log(trial.truth[:, 5] / trial.truth[:, 3])
        slopes.append(np.polyfit(trial.angle[:, 0], ratio, 1)[0])
    assert np.mean(slopes) > 0.1
    assert single_joint(ARM).tolist() == [False, True, True, False, False, True]


def test_given_motions_and_moments_are_repeated():
    time = np.arange(300) / 100
    angle = (1.2 - 0.5 * np.cos(2.0 * time))[:, None]
    moment = 4.0 * np.sin(angle) + 1.0
    given = (GivenMotion("mine", angle, moment, motion="swing"), GivenMotion("short", angle[:150], load_kg=1.0))
    mine, short = people(replace(SHORT, given=given, **EXACT))[0].trials
    assert (mine.name, mine.motion, np.isnan(mine.load_kg), short.load_kg) == ("mine", "swing", True, 1.0)
    np.testing.assert_allclose(mine.angle, angle, atol=0.003)
    np.testing.assert_allclose(mine.moment, moment, atol=0.3)
    assert len(short.time) == 150


def test_a_study_sees_only_its_electrodes_and_keeps_the_truth():
    whole = people()[0].trials
    seen = seen_with(whole, ["BIClong", "TRIlat"])
    for before, after in zip(whole, seen, strict=True):
        assert after.measured.tolist() == [False, True, False, True, False, False]
        assert np.isnan(after.emg[:, [0, 2, 4, 5]]).all()
        np.testing.assert_array_equal(after.truth, before.truth)


def test_settings_that_make_no_sense_are_refused_all_at_once():
    with pytest.raises(InputError) as refused:
        PopulationSettings(families={"magic": 1.0}, seconds=0.1, drive_sd=(0.2, 0.1), muscle="hill", loads_kg=())
    assert len(refused.value.problems) == 5
    with pytest.raises(InputError, match="one coordinate"):
        next(simulate_people(replace(ARM, default_coordinates=()), model().geometry, SHORT, seed=0, count=1))
    gap = GivenMotion("gap", np.full((200, 1), np.nan))
    with pytest.raises(InputError, match="gap"):
        people(replace(SHORT, given=(gap,)))
    cranes = tuple(GivenMotion(name, np.full((401, 1), 1.0), np.full((401, 1), 900.0)) for name in ("crane", "lift"))
    with pytest.raises(InputError, match="stronger"):
        people(replace(SHORT, given=cranes))
