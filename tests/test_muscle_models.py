"""Force curves and the rigid tendon, held against OpenSim and against what every muscle must do."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from profundus.errors import InputError
from profundus.muscle import degroote, thelen
from profundus.muscle.parameters import ActivationParameters, MuscleParameters
from profundus.muscle.registry import MUSCLES, TENDONS, muscle_model, tendon_model
from profundus.muscle.rigid_tendon import tendon_force
from profundus.quantities import declared_quantities

REFERENCE = Path(__file__).parent / "reference"
NAMES = ("degroote", "thelen")
LENGTHS = jnp.linspace(0.0, 2.5, 251)
SPEEDS = jnp.linspace(-1.0, 1.0, 201)


def one_muscle(**changes):
    values = {
        "max_isometric_force": 1000.0,
        "optimal_fiber_length": 0.1,
        "tendon_slack_length": 0.2,
        "pennation_at_optimal": 0.0,
        "electromechanical_delay": 0.0,
    }
    return MuscleParameters(**{name: jnp.array([value]) for name, value in (values | changes).items()})


def pull(name, *, activation=1.0, path_length=0.3, path_velocity=0.0, **changes):
    where = [jnp.array([[float(value)]]) for value in (activation, path_length, path_velocity)]
    return tendon_force(muscle_model(name), one_muscle(**changes), *where)


def states(name):
    return pd.read_csv(REFERENCE / f"arm26_states_{name}.csv", comment="#")


def test_degroote_curves_meet_opensim():
    table = states("dgf")
    length, speed = table.lm_norm.to_numpy(), table.vm_norm.to_numpy()
    np.testing.assert_allclose(degroote.active_force_length(length), table.fl, atol=1e-6)
    np.testing.assert_allclose(degroote.passive_force_length(length), table.fp, atol=1e-6)
    np.testing.assert_allclose(degroote.force_velocity(speed), table.fv, atol=1e-6)


def test_thelen_curves_meet_opensim():
    table = states("thelen")
    length, speed = table.lm_norm.to_numpy(), table.vm_norm.to_numpy()
    np.testing.assert_allclose(thelen.active_force_length(length), table.fl, atol=1e-6)
    np.testing.assert_allclose(thelen.passive_force_length(length), table.fp, atol=1e-6)
    rounded = 1e-3  # the bend at rest is rounded
    np.testing.assert_allclose(thelen.force_velocity(table.activation.to_numpy(), speed), table.fv, atol=rounded)


def test_thelens_force_velocity_inverts_his_equations():
    activation, force_length = 0.4, 0.8
    isometric = activation * force_length
    for force in np.linspace(0.01, 1.7, 60) * isometric:
        shortening = force < isometric
        b = isometric + force / 0.3 if shortening else (2 + 2 / 0.3) * (1.8 * isometric - force) / 0.8
        speed = (0.25 + 0.75 * activation) * (force - isometric) / b
        found = isometric * thelen.force_velocity(jnp.asarray(activation), jnp.asarray(speed))
        assert found == pytest.approx(force, abs=2e-3 * isometric)


@pytest.mark.parametrize("name", NAMES)
def test_a_resting_muscle_of_optimal_length_pulls_its_maximum(name):
    force = muscle_model(name).fiber_force(jnp.asarray(1.0), jnp.asarray(1.0), jnp.asarray(0.0))
    assert force.active == pytest.approx(1.0, abs=0.02)
    assert force.passive == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_passive_force_is_one_at_the_declared_strain(name):
    for strain in (0.5, 0.6, 0.7):
        muscle = muscle_model(name, passive_strain_at_one=strain)
        force = muscle.fiber_force(jnp.asarray(0.0), jnp.asarray(1.0 + strain), jnp.asarray(0.0))
        assert force.passive == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_muscle_is_strongest_near_its_optimal_length_and_never_pushes(name):
    force = muscle_model(name).fiber_force(jnp.ones_like(LENGTHS), LENGTHS, jnp.zeros_like(LENGTHS))
    assert np.all((force.active >= 0.0) & (force.active <= 1.02))
    assert abs(float(LENGTHS[jnp.argmax(force.active)]) - 1.0) < 0.03
    assert np.all(force.passive >= 0.0)
    assert np.all(np.diff(force.passive) >= 0.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", [0.0, 0.3, 1.0])
def test_force_rises_with_lengthening_speed(name, activation):
    active = jnp.full_like(SPEEDS, activation)
    force = muscle_model(name).fiber_force(active, jnp.ones_like(SPEEDS), SPEEDS).active
    assert np.all(np.diff(force) >= 0.0)
    assert activation == 0.0 or np.all(np.diff(force) > 0.0)


def test_thelens_muscle_slows_down_when_it_is_less_active():
    for activation in (0.1, 0.5, 1.0):
        stalled = thelen.force_velocity(jnp.asarray(activation), jnp.asarray(-(0.25 + 0.75 * activation)))
        assert stalled == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_tendon_carries_no_force_when_slack(name):
    for path_length in (0.0, 0.15, 0.2):
        assert pull(name, path_length=path_length).tendon_force[0, 0] == 0.0
    assert pull(name, path_length=0.3).tendon_force[0, 0] == pytest.approx(1000.0, rel=0.02)


def test_thickness_of_a_pennate_muscle_stays_constant():
    for path_length in (0.25, 0.29, 0.34):
        state = pull("degroote", path_length=path_length, pennation_at_optimal=0.3)
        along_tendon = path_length - 0.2
        assert state.fiber_length[0, 0] ** 2 == pytest.approx(along_tendon**2 + (0.1 * np.sin(0.3)) ** 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_gradients_are_finite_wherever_a_muscle_may_go(name, dtype):
    path_length, speed, active = (
        grid.ravel().astype(dtype)[:, None]
        for grid in jnp.meshgrid(
            jnp.array([0.0, 0.1, 0.2, 0.2015, 0.215, 0.25, 0.3, 0.4, 0.8, 1.5]),
            jnp.array([-3.0, -1.0, -0.25, 0.0, 0.5, 3.0]),
            jnp.array([0.0, 0.01, 0.5, 1.0]),
        )
    )
    for pennation in (0.0, 0.35):
        parameters = jax.tree.map(lambda x: x.astype(dtype), one_muscle(pennation_at_optimal=pennation))

        @jax.jit
        def total(parameters, active, path_length, speed):
            return jnp.sum(tendon_force(muscle_model(name), parameters, active, path_length, speed).tendon_force)

        value, slopes = jax.value_and_grad(total, argnums=(0, 1, 2, 3))(parameters, active, path_length, speed)
        assert np.isfinite(value)
        assert value.dtype == dtype
        assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))


def test_unknown_muscles_and_tendons_are_refused_by_name():
    with pytest.raises(InputError, match="degroote, thelen"):
        muscle_model("hill")
    with pytest.raises(InputError, match="rigid, compliant"):
        tendon_model("elastic", muscle="thelen", strain_at_one=0.033)
    assert set(MUSCLES) == set(NAMES)
    assert set(TENDONS) == {"rigid", "compliant"}


def test_every_parameter_declares_unit_and_range():
    for record in (MuscleParameters, ActivationParameters):
        declared = declared_quantities(record)
        assert set(declared) == set(record.__annotations__)
        assert all(d.unit and d.low < d.high for d in declared.values())
