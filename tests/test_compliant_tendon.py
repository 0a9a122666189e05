"""The compliant tendon, held against OpenSim, closed forms and finite differences."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import curls
from curls import STEP, STRENGTH, curl, true_parameters
from profundus.fit.personalization import personalize
from profundus.fit.priors import gain_prior, parameter_prior
from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.muscle.parameters import MuscleParameters
from profundus.muscle.registry import muscle_model, tendon_model
from profundus.muscle.rigid_tendon import SHORTEST, fiber_pull
from profundus.muscle.tendon_curves import TENDON_CURVES, degroote_force, thelen_force
from profundus.records import FitSettings, LossSettings
from profundus.rivals.plant import Plant

NAMES = ("degroote", "thelen")
TABLES = {"degroote": "DGF_elastic", "thelen": "Thelen"}
STRAIN_AT_ONE = 0.033


@pytest.fixture(scope="module")
def arm():
    return MusculoskeletalModel(read_anatomy("arm26"))


def one_muscle(**changes):
    soleus = {
        "max_isometric_force": 3549.0,
        "optimal_fiber_length": 0.05,
        "tendon_slack_length": 0.25,
        "pennation_at_optimal": 0.436,
        "electromechanical_delay": 0.0,
    }
    return MuscleParameters(**{name: jnp.array([value]) for name, value in (soleus | changes).items()})


@partial(jax.jit, static_argnums=(0,), static_argnames=("tendon", "strain", "step"))
def elastic(
    name, parameters, activation, path_length, path_velocity, *, tendon="compliant", strain=STRAIN_AT_ONE, step=None
):
    pull = tendon_model(tendon, muscle=name, strain_at_one=strain, step=step)
    return pull(muscle_model(name), parameters, activation, path_length, path_velocity)


def test_tendon_curves_meet_opensims_states(reference):
    slack = {"TRIlong": 0.143, "TRIlat": 0.098, "TRImed": 0.0908, "BIClong": 0.2723, "BICshort": 0.1923, "BRA": 0.0535}
    force = dict(zip(slack, (798.52, 624.3, 624.3, 624.3, 435.56, 987.26), strict=True))
    for name, allowed in (("degroote", 1e-5), ("thelen", 1e-3)):
        table = pd.read_csv(reference / "oracle" / f"arm26_opensim_muscle_states_{TABLES[name]}.csv")
        strain = jnp.asarray(table.lt_m / table.muscle.map(slack) - 1.0)
        pull = TENDON_CURVES[name].force(strain, STRAIN_AT_ONE)
        np.testing.assert_allclose(pull, table.F_tendon_N / table.muscle.map(force), atol=allowed)


@pytest.mark.parametrize("name", NAMES)
def test_a_tendon_s_force_is_the_inverse_of_its_strain(name):
    force = jnp.linspace(0.0, 5.0, 101)
    curve = TENDON_CURVES[name]
    np.testing.assert_allclose(curve.force(curve.strain(force, 0.049), 0.049), force, atol=1e-12)


def test_tendons_carry_maximum_force_at_the_declared_strain():
    assert float(degroote_force(jnp.asarray(0.033), 0.033)) == pytest.approx(1.0, abs=1e-12)
    assert float(thelen_force(jnp.asarray(0.033), 0.033)) == pytest.approx(1.0, abs=1e-3)
    assert float(degroote_force(jnp.asarray(-0.01), 0.033)) == 0.0
    assert float(thelen_force(jnp.asarray(-0.01), 0.033)) == 0.0


@pytest.mark.parametrize(("name", "allowed"), [("degroote", 0.002), ("thelen", 0.01)])
def test_every_state_in_equilibrium_meets_opensim(arm, reference, name, allowed):
    # OpenSim's Thelen muscle shares the path's speed by stiffness, its De Groote muscle gives all of it to the fibers, as here
    table = pd.read_csv(reference / "oracle" / f"arm26_opensim_muscle_states_{TABLES[name]}.csv")
    active = np.repeat(table[["activation"]].to_numpy(), 6, axis=1)
    angle, speed = np.deg2rad(table[["elbow_deg"]].to_numpy()), table[["elbow_rad_s"]].to_numpy()
    force = np.asarray(arm.tendon_forces(active, angle, speed, muscle=name, tendon="compliant"))
    at = [arm.muscles.index(muscle) for muscle in table.muscle]
    strength = np.asarray(arm.generic_parameters.muscles.max_isometric_force)[at]
    error = np.abs(force[np.arange(len(table)), at] - table.F_tendon_N) / strength
    assert error.max() < allowed


def forward_error(arm, table, *, name, tendon, step):
    active = table[[f"act_{muscle}" for muscle in arm.muscles]].to_numpy()
    angle, speed = table[["elbow_rad"]].to_numpy(), table[["elbow_rad_s"]].to_numpy()
    moment = arm.joint_moment(active, angle, speed, muscle=name, tendon=tendon, step=step)
    return np.sqrt(np.mean((np.asarray(moment)[:, 0] - table.tau_muscle_elbow_Nm.to_numpy()) ** 2))


@pytest.mark.parametrize("name", NAMES)
def test_joint_moment_follows_opensims_elastic_muscles_for_five_seconds(arm, reference, name):
    table = pd.read_csv(reference / "oracle" / f"arm26_opensim_forward_prescribed_{TABLES[name]}.csv")
    on_clock = forward_error(arm, table, name=name, tendon="compliant", step=0.01)
    assert on_clock < 0.04
    assert on_clock < 0.1 * forward_error(arm, table, name=name, tendon="rigid", step=None)
    assert forward_error(arm, table[::2], name=name, tendon="compliant", step=0.02) < 0.06


def random_muscles(count, samples, *, step):
    """Return muscles from short tendons to those of the calf, with motions that are slack, held, fast or far too long."""
    chance = np.random.default_rng(7)
    optimal = chance.uniform(0.02, 0.15, count)
    slack = optimal * np.exp(chance.uniform(np.log(0.3), np.log(12.0), count))
    strength, pennation = np.exp(chance.uniform(4.0, 8.7, count)), chance.uniform(0.0, 0.45, count)
    parameters = MuscleParameters(*map(jnp.asarray, (strength, optimal, slack, pennation, np.zeros(count))))
    time, turn = np.arange(samples)[:, None] * step, 2 * np.pi * chance.uniform(0.2, 4.0, count)
    far, phase = chance.uniform(0.0, 0.5, count), chance.uniform(0.0, 6.3, count)
    far[: count // 10] = 0.0
    length = chance.uniform(0.3, 1.5, count) + far * np.sin(turn * time + phase)
    path_length = slack * chance.uniform(0.98, 1.05, count) + optimal * length
    path_velocity = optimal * far * turn * np.cos(turn * time + phase)
    wave = 0.5 + 0.7 * np.sin(2 * np.pi * chance.uniform(0.2, 5.0, count) * time + phase)
    active = np.clip(chance.uniform(0.0, 1.0, count) * wave, 0.0, 1.0)
    active[:, count // 20 : count // 5] = 0.01
    return parameters, *map(jnp.asarray, (active, path_length, path_velocity))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", [0.01, None])
def test_fibers_and_tendon_balance_in_ten_thousand_muscles(name, step):
    parameters, active, path, velocity = random_muscles(10_000, 24, step=step or 0.01)
    state = elastic(name, parameters, active, path, velocity, step=step)
    force = np.asarray(state.tendon_force / parameters.max_isometric_force)
    thickness = parameters.optimal_fiber_length * jnp.sin(parameters.pennation_at_optimal)
    along = jnp.sqrt(jnp.maximum(state.fiber_length**2 - thickness**2, 0.0))
    stretch = path - along
    speed = jnp.zeros_like(stretch) if step is None else jnp.diff(stretch, axis=0, prepend=stretch[:1]) / step
    fibers = fiber_pull(muscle_model(name), parameters, active, along, velocity - speed)
    pull = np.asarray(fibers.tendon_force / parameters.max_isometric_force)
    shortest = np.asarray(along <= SHORTEST * parameters.optimal_fiber_length * (1 + 1e-9))
    assert np.all(np.isfinite(force))
    assert force.min() == 0.0
    np.testing.assert_allclose(pull[(force > 0) & ~shortest], force[(force > 0) & ~shortest], atol=1e-9)
    assert pull[(force == 0) & ~shortest].max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_is_enough(name):
    double = random_muscles(2000, 24, step=0.01)
    single = jax.tree.map(lambda x: x.astype(jnp.float32), double)
    exact, found = (
        elastic(name, *given, step=0.01).tendon_force / given[0].max_isometric_force for given in (double, single)
    )
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, exact, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_slack_tendon_carries_no_force_and_has_finite_gradients(name):
    parameters = one_muscle()
    path = jnp.array([[0.1], [0.2], [0.25], [0.2504], [0.27], [0.3], [0.4]])
    active, rest = jnp.full_like(path, 0.3), jnp.zeros_like(path)

    def total(*given):
        force = elastic(name, *given).tendon_force
        return jnp.sum(force), force

    ways = jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2, 3), has_aux=True))
    (_, force), slopes = ways(parameters, active, path, rest)
    np.testing.assert_array_equal(force[:3], 0.0)
    assert np.all(np.diff(force[3:], axis=0) > 0.0)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))


def test_a_held_muscle_comes_to_rest_in_its_equilibrium():
    path = jnp.full((150, 1), 0.301)
    given = one_muscle(), jnp.full_like(path, 0.4), path, jnp.zeros_like(path)
    active = given[1].at[:50].set(0.05)
    moved = elastic("thelen", given[0], active, *given[2:], step=0.01)
    resting = elastic("thelen", *given)
    np.testing.assert_allclose(moved.tendon_force[-1], resting.tendon_force[-1], rtol=1e-5)
    assert moved.tendon_force[52, 0] < 0.9 * resting.tendon_force[-1, 0]


def test_a_very_stiff_tendon_pulls_as_a_rigid_one():
    time = jnp.arange(80)[:, None] * 0.01
    path, velocity = 0.3 + 0.008 * jnp.sin(5.0 * time), 0.04 * jnp.cos(5.0 * time)
    active = 0.4 + 0.3 * jnp.sin(8.0 * time)
    given = one_muscle(), active, path, velocity
    force = {
        tendon: elastic("thelen", *given, tendon=tendon, strain=1e-6, step=0.01).tendon_force
        for tendon in ("rigid", "compliant")
    }
    np.testing.assert_allclose(force["compliant"], force["rigid"], rtol=2e-3)


def test_an_unknown_number_stays_unknown():
    path = jnp.array([[0.3], [jnp.nan], [0.3]])
    force = elastic("thelen", one_muscle(), jnp.full_like(path, 0.3), path, jnp.zeros_like(path)).tendon_force
    np.testing.assert_array_equal(np.isnan(force), np.isnan(path))


@pytest.mark.parametrize(("name", "slope"), [("degroote", jax.grad), ("thelen", jax.jacfwd)])
def test_gradients_of_all_parameters_meet_central_differences(arm, name, slope):
    time = jnp.arange(40)[:, None] * 0.015
    excitation = 0.3 + 0.25 * jnp.sin(2 * jnp.pi * time * jnp.array([1.0, 1.3, 1.7, 0.9, 2.1, 1.1]))
    geometry = arm.geometry(1.2 + 0.7 * jnp.sin(4.0 * time), 2.8 * jnp.cos(4.0 * time))
    leaves, tree = jax.tree.flatten(arm.generic_parameters)
    sizes = np.cumsum([leaf.size for leaf in leaves])[:-1]
    flat = jnp.concatenate([leaf.ravel() for leaf in leaves])
    flat = (
        jnp.where(flat == 0.0, 0.02, flat).at[24:30].set(0.0573)
    )  # no zero slope of pennation, delays between samples

    def moments(values):
        parts = [part.reshape(leaf.shape) for part, leaf in zip(jnp.split(values, sizes), leaves, strict=True)]
        person = tree.unflatten(parts)
        response = arm.respond(excitation, geometry, person, step=0.015, muscle=name, tendon="compliant")
        return response.joint_moment[:, 0]

    @jax.jit
    def moment_square(values):
        return jnp.mean(moments(values) ** 2)

    slopes = jax.jit(slope(moment_square))(flat)
    for i in range(32):
        shift = 3e-6 * float(abs(flat[i]))
        numeric = (moment_square(flat.at[i].add(shift)) - moment_square(flat.at[i].add(-shift))) / (2 * shift)
        np.testing.assert_allclose(slopes[i], numeric, rtol=2e-4, atol=1e-5)


def test_a_person_with_compliant_tendons_is_found_again(arm):
    stretchy = [with_compliant_tendons(trial) for trial in (curl(load_kg=2.0), curl(load_kg=4.0, press=True))]
    prior, loss = parameter_prior(read_anatomy("arm26")), LossSettings(moment_sd=0.1, moment_relative_sd=0.0)
    settings = FitSettings(loss=loss, tendon="compliant")
    found = personalize(stretchy, [trial.truth for trial in stretchy], prior, arm, settings, gain=gain_prior("mvc"))
    strengths = [row for row in found.rows if row.parameter == "max_isometric_force"]
    z = [(row.fitted - row.generic * true) / row.posterior_sd for row, true in zip(strengths, STRENGTH, strict=True)]
    assert np.abs(z).max() < 3.0
    assert found.converged
    moment = np.concatenate([trial.moment for trial in stretchy])
    assert found.moment_r2[0] == pytest.approx(1.0 - 0.1**2 / np.var(moment), abs=0.001)


def with_compliant_tendons(trial):
    """Return a curl again, by a person whose tendons stretch."""
    noise = np.random.default_rng(4).normal(0.0, 0.1, trial.moment.shape)
    return replace(trial, moment=np.asarray(stretchy_moment(trial.truth, trial.angle, trial.velocity)) + noise)


@jax.jit
def stretchy_moment(excitation, angle, velocity):
    geometry = curls.arm().geometry(angle, velocity)
    muscles = curls.arm().respond(
        excitation, geometry, true_parameters(), muscle="thelen", tendon="compliant", step=STEP
    )
    return muscles.joint_moment


def test_rivals_see_each_sample_for_itself(arm):
    trial = curl(seconds=0.5)
    moved = Plant(read_anatomy("arm26"), arm.geometry, arm.generic_parameters, tendon="compliant").moved(trial)
    muscles = moved.muscles(trial.truth)
    forces = jax.jit(partial(arm.tendon_forces, muscle="thelen", tendon="compliant"))
    alone = forces(trial.truth, trial.angle, trial.velocity)
    np.testing.assert_allclose(muscles.tendon_force, alone, rtol=1e-9)
    shift = 1e-6
    up, down = (moved.muscles(trial.truth + sign * shift).tendon_force for sign in (1.0, -1.0))
    np.testing.assert_allclose(muscles.slope, (up - down) / (2 * shift), rtol=1e-4)
