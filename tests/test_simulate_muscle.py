"""The muscles of virtual people: around the models, wider and faster, on tendons that stretch as published."""

import jax.numpy as jnp
import numpy as np
import pytest

from profundus.muscle.degroote import DeGrooteMuscle
from profundus.muscle.parameters import MuscleParameters
from profundus.muscle.rigid_tendon import tendon_force
from profundus.muscle.tendon_curves import degroote_strain, thelen_strain
from profundus.muscle.thelen import ThelenMuscle
from profundus.simulate.tendon import stretched
from profundus.simulate.variation import VariedMuscle

ACTIVATION, LENGTH, VELOCITY = (
    values.ravel() for values in np.meshgrid([0.05, 0.4, 1.0], [0.6, 1.0, 1.3], [-0.4, -0.05, 0.0, 0.2])
)


def varied(model, *, width=0.5, speed=10.0, follows=0.0):
    return VariedMuscle(model, jnp.asarray(width), jnp.asarray(speed), jnp.asarray(follows))


@pytest.mark.parametrize(("model", "follows"), [(ThelenMuscle(), 1.0), (DeGrooteMuscle(), 0.0)])
def test_an_unvaried_muscle_is_its_model(model, follows):
    for plain, ours in zip(
        model.fiber_force(ACTIVATION, LENGTH, VELOCITY),
        varied(model, follows=follows).fiber_force(ACTIVATION, LENGTH, VELOCITY),
        strict=True,
    ):
        np.testing.assert_allclose(ours, plain, atol=1e-12)


def test_a_wider_muscle_is_thelen_s_bell_of_that_width():
    found = varied(ThelenMuscle(), width=0.35).fiber_force(jnp.ones(1), jnp.array([1.3]), jnp.zeros(1)).active
    assert float(found[0]) == pytest.approx(np.exp(-(0.3**2) / 0.35), rel=1e-9)


def test_a_muscle_makes_no_force_at_its_own_maximal_speed():
    fast = varied(ThelenMuscle(), speed=14.0).fiber_force(jnp.ones(1), jnp.ones(1), jnp.array([-1.4])).active
    slow = varied(ThelenMuscle(), speed=5.5, follows=1.0).fiber_force(
        jnp.full(1, 0.2), jnp.ones(1), jnp.array([-0.55 * (0.25 + 0.75 * 0.2)])
    )
    np.testing.assert_allclose([float(fast[0]), float(slow.active[0])], 0.0, atol=1e-3)


def test_tendons_stretch_as_published():
    assert float(thelen_strain(jnp.ones(1), 0.033)[0]) == pytest.approx(0.033, rel=2e-3)
    assert float(thelen_strain(jnp.full(1, 0.33), 0.033)[0]) == pytest.approx(0.609 * 0.033, rel=1e-6)
    toe = 0.33 * np.expm1(3.0 * 0.01 / (0.609 * 0.033)) / np.expm1(3.0)
    assert float(thelen_strain(jnp.full(1, toe), 0.033)[0]) == pytest.approx(0.01, rel=1e-6)
    stiffness = np.log(1.2 / 0.2) / 0.049
    force = 0.2 * np.exp(stiffness * 0.03) - 0.2
    assert float(degroote_strain(jnp.full(1, force), 0.049)[0]) == pytest.approx(0.03, rel=1e-6)


def test_fiber_and_tendon_share_the_path_and_the_force():
    # held muscle: the equilibrium, found here by bisection on the tendon's length
    parameters = MuscleParameters(*(jnp.array([value]) for value in (600.0, 0.115, 0.27, 0.0, 0.06)))
    path, active = jnp.full((1, 60, 1), 0.385), jnp.full((1, 60, 1), 0.5)
    found = stretched(
        ThelenMuscle(), parameters, active, path, jnp.zeros_like(path),
        name="thelen", strain_at_one=0.033, step=0.01, rounds=30, stretch=jnp.zeros_like(path),
    )  # fmt: skip
    low, high = 0.0, 0.02
    for _ in range(60):
        middle = 0.5 * (low + high)
        pull = tendon_force(ThelenMuscle(), parameters, active, path - middle, jnp.zeros_like(path)).tendon_force
        needed = 0.27 * float(thelen_strain(pull / 600.0, 0.033)[0, 0, 0])
        low, high = (middle, high) if needed > middle else (low, middle)
    np.testing.assert_allclose(found.stretch, low, rtol=1e-6)
    assert float(jnp.abs(found.residual).max()) < 1e-3


def test_a_compliant_tendon_lags_behind_a_fast_activation():
    parameters = MuscleParameters(*(jnp.array([value]) for value in (600.0, 0.115, 0.27, 0.0, 0.06)))
    time = np.arange(200) * 0.01
    active = jnp.asarray((0.3 + 0.2 * np.sin(2 * np.pi * time))[None, :, None])
    path = jnp.full_like(active, 0.385)
    elastic = stretched(
        ThelenMuscle(), parameters, active, path, jnp.zeros_like(path),
        name="thelen", strain_at_one=0.033, step=0.01, rounds=20, stretch=jnp.zeros_like(path),
    )  # fmt: skip
    rigid = tendon_force(ThelenMuscle(), parameters, active, path, jnp.zeros_like(path)).tendon_force
    assert int(jnp.argmax(elastic.state.tendon_force[0, :100, 0])) > int(jnp.argmax(rigid[0, :100, 0]))
