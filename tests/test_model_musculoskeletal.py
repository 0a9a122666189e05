"""The whole limb, held against OpenSim: tendon forces, joint moments, and their gradients."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.numerics.relaxation import runge_kutta

REFERENCE = Path(__file__).parent / "reference"
STATES = ["elbow_deg", "elbow_rad_s", "activation"]


@pytest.fixture(scope="module")
def arm():
    return MusculoskeletalModel(read_anatomy("arm26"))


@pytest.fixture(scope="module")
def strength():
    anatomy = read_anatomy("arm26")
    return dict(zip(anatomy.muscles, anatomy.max_isometric_force, strict=True))


def relative_force_errors(arm, table, strength, *, muscle):
    """Return |our tendon force - OpenSim's| / maximum isometric force, row by row."""
    active = np.repeat(table[["activation"]].to_numpy(), len(arm.muscles), axis=1)
    forces = arm.tendon_forces(
        active, np.deg2rad(table[["elbow_deg"]].to_numpy()), table[["elbow_rad_s"]].to_numpy(), muscle=muscle
    )
    own = np.asarray(forces)[np.arange(len(table)), [arm.muscles.index(m) for m in table.muscle]]
    return np.abs(own - table.F_tendon_N.to_numpy()) / table.muscle.map(strength).to_numpy()


def test_rigid_degroote_forces_meet_opensim(arm, strength):
    table = pd.read_csv(REFERENCE / "arm26_states_dgf.csv", comment="#")
    assert relative_force_errors(arm, table, strength, muscle="degroote").max() < 2e-3


def test_rigid_degroote_forces_meet_opensim_in_all_states(arm, strength, reference):
    table = pd.read_csv(reference / "oracle" / "arm26_opensim_muscle_states_DGF_rigid.csv")
    assert relative_force_errors(arm, table, strength, muscle="degroote").max() < 2e-3


def test_rigid_thelen_forces_are_near_opensims_elastic_ones(arm, strength):
    table = pd.read_csv(REFERENCE / "arm26_states_thelen.csv", comment="#")
    check_thelen(relative_force_errors(arm, table, strength, muscle="thelen"))


def test_rigid_thelen_forces_are_near_opensims_elastic_ones_in_all_states(arm, strength, reference):
    table = pd.read_csv(reference / "oracle" / "arm26_opensim_muscle_states_Thelen.csv")
    check_thelen(relative_force_errors(arm, table, strength, muscle="thelen"))


def check_thelen(error):
    assert np.mean(error < 0.02) >= 0.85  # the rest: full activation stretches long tendons, BIClong's above all
    assert error.max() < 0.15


def forward_moment(arm, table):
    parameters = undelayed(arm.generic_parameters, time_constant=0.010)
    geometry = arm.geometry(table[["elbow_rad"]].to_numpy(), table[["elbow_rad_s"]].to_numpy())
    run = eqx.filter_jit(partial(arm.respond, step=0.01, smoothing=0.1, stepper=runge_kutta, substeps=4))
    return run(jnp.asarray(table[[f"exc_{m}" for m in arm.muscles]].to_numpy()), geometry, parameters)


def undelayed(parameters, *, time_constant):
    muscles = {**vars(parameters.muscles), "electromechanical_delay": jnp.zeros(6)}
    person = {"shape_factor": jnp.zeros(()), "time_constant": jnp.asarray(time_constant)}
    return type(parameters)(type(parameters.muscles)(**muscles), type(parameters.activation)(**person))


def test_joint_moment_follows_opensims_forward_run(arm):
    table = pd.read_csv(REFERENCE / "arm26_forward_dgf.csv", comment="#")
    error = forward_moment(arm, table).joint_moment[:, 0] - table.tau_muscle_elbow_Nm.to_numpy()
    assert np.sqrt(np.mean(error**2)) < 0.05


def test_joint_moment_follows_opensim_for_five_seconds(arm, reference):
    table = pd.read_csv(reference / "oracle" / "arm26_opensim_forward_prescribed_DGF_rigid.csv")
    response = forward_moment(arm, table)
    error = response.joint_moment[:, 0] - table.tau_muscle_elbow_Nm.to_numpy()
    assert np.sqrt(np.mean(error**2)) < 0.05
    np.testing.assert_allclose(response.activation, table[[f"act_{m}" for m in arm.muscles]], atol=1e-5)
    np.testing.assert_allclose(response.fiber_length, table[[f"lm_m_{m}" for m in arm.muscles]], atol=1e-4)


@pytest.mark.parametrize("muscle", ["degroote", "thelen"])
def test_gradients_of_all_parameters_meet_finite_differences(arm, muscle):
    time = jnp.arange(60)[:, None] * 0.01
    excitation = 0.3 + 0.25 * jnp.sin(2 * jnp.pi * time * jnp.array([1.0, 1.3, 1.7, 0.9, 2.1, 1.1]))
    geometry = arm.geometry(1.2 + 0.7 * jnp.sin(4.0 * time), 2.8 * jnp.cos(4.0 * time))
    leaves, tree = jax.tree.flatten(arm.generic_parameters)
    sizes = np.cumsum([leaf.size for leaf in leaves])[:-1]
    flat = jnp.concatenate([leaf.ravel() for leaf in leaves])
    flat = jnp.where(flat == 0.0, 0.02, flat)  # pennation: its effect is even, a zero slope would prove nothing
    flat = flat.at[24:30].set(0.0573)  # delays between samples

    @jax.jit
    def moment_square(values):
        parts = [part.reshape(leaf.shape) for part, leaf in zip(jnp.split(values, sizes), leaves, strict=True)]
        response = arm.respond(excitation, geometry, tree.unflatten(parts), step=0.01, muscle=muscle)
        return jnp.mean(response.joint_moment**2)

    slopes = jax.jit(jax.grad(moment_square))(flat)
    assert slopes.shape == (32,)
    assert np.all(np.abs(slopes) > 0.0)
    for i in range(32):
        shift = 1e-6 * float(abs(flat[i]))
        numeric = (moment_square(flat.at[i].add(shift)) - moment_square(flat.at[i].add(-shift))) / (2 * shift)
        np.testing.assert_allclose(slopes[i], numeric, rtol=1e-4, atol=1e-6)


def test_training_geometry_gives_the_moment_of_the_plain_call(arm):
    angle, velocity = np.array([[0.4], [1.1], [1.9]]), np.array([[1.0], [0.0], [-2.0]])
    steady = np.full((3, 6), 0.25)
    person = undelayed(arm.generic_parameters, time_constant=0.015)
    response = arm.respond(jnp.asarray(steady), arm.geometry(angle, velocity), person, step=0.01)
    np.testing.assert_allclose(response.joint_moment, arm.joint_moment(steady, angle, velocity), rtol=1e-12)
    moment = np.einsum("tcm,tm->tc", arm.moment_arms(angle), arm.tendon_forces(steady, angle, velocity))
    np.testing.assert_allclose(response.joint_moment, moment, rtol=1e-12)


def test_flexors_flex_and_extensors_extend(arm):
    anatomy = read_anatomy("arm26")
    angle = np.full((6, 1), np.deg2rad(90.0))
    moment = arm.joint_moment(np.eye(6), angle, np.zeros_like(angle)) - arm.joint_moment(
        np.zeros((6, 6)), angle, np.zeros_like(angle)
    )
    flexes = np.array([group == "elbow_flexors" for group in anatomy.groups])
    np.testing.assert_array_equal(np.asarray(moment)[:, 0] > 0, flexes)


def test_a_model_runs_in_single_precision(arm):
    single = jax.tree.map(lambda x: x.astype(jnp.float32), arm)

    @jax.jit
    def responded(model, active, motion):
        return model.respond(active, model.paths.geometry(motion, motion), step=0.01)

    response = responded(single, jnp.full((8, 6), 0.2, jnp.float32), jnp.ones((8, 1), jnp.float32))
    assert all(part.dtype == jnp.float32 for part in response)
    double = responded(arm, jnp.full((8, 6), 0.2), jnp.ones((8, 1)))
    np.testing.assert_allclose(response.joint_moment, double.joint_moment, rtol=1e-4)


def test_columns_that_do_not_fit_are_refused(arm):
    with pytest.raises(InputError, match="r_elbow_flex"):
        arm.path_length(np.zeros((5, 2)))
    with pytest.raises(InputError, match="TRIlong"):
        arm.tendon_forces(np.zeros((5, 4)), np.zeros((5, 1)), np.zeros((5, 1)))


def test_shapes_are_those_that_the_signatures_promise():
    code = """
from jaxtyping import install_import_hook
with install_import_hook(["profundus.muscle", "profundus.skeleton", "profundus.numerics", "profundus.model"], "beartype.beartype"):
    from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.io.anatomy import read_anatomy
import numpy as np, jax, jax.numpy as jnp
arm = MusculoskeletalModel(read_anatomy("arm26"), coordinates=("r_shoulder_elev", "r_elbow_flex"))
angle = np.full((7, 2), 0.5)
geometry = arm.geometry(angle, angle)
for muscle in ("degroote", "thelen"):
    response = jax.jit(lambda e: arm.respond(e, geometry, step=0.01, muscle=muscle))(jnp.full((7, 6), 0.3))
    assert response.joint_moment.shape == (7, 2) and response.tendon_force.shape == (7, 6)
    assert arm.joint_moment(np.full((7, 6), 0.3), angle, angle, muscle=muscle).shape == (7, 2)
assert arm.moment_arms(angle).shape == (7, 2, 6)
try:
    arm.respond(jnp.full((7, 5), 0.3), geometry, step=0.01)
except Exception as refused:
    print(type(refused).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "TypeCheckError" in done.stdout
