"""Roots within brackets: many at once, with the nearer end where there is none."""

import jax.numpy as jnp
import numpy as np

from profundus.numerics.bracketed_root import bracketed_root


def test_roots_of_kepler_s_equation_are_those_of_newton():
    eccentricity, mean = 0.9, np.linspace(0.05, 3.0, 50)
    exact = mean.copy()
    for _ in range(200):
        exact -= (exact - eccentricity * np.sin(exact) - mean) / (1 - eccentricity * np.cos(exact))
    found = bracketed_root(
        lambda x: x - eccentricity * jnp.sin(x) - mean, jnp.zeros_like(mean), jnp.full_like(mean, 4.0)
    )
    np.testing.assert_allclose(found, exact, atol=1e-9)


def test_without_a_root_the_nearer_end_is_returned():
    low, high = jnp.zeros(3), jnp.ones(3)
    shift = jnp.array([-1.0, 0.25, 3.0])
    np.testing.assert_allclose(bracketed_root(lambda x: x - shift, low, high), [0.0, 0.25, 1.0], atol=1e-12)


def test_flat_functions_give_finite_roots():
    assert np.isfinite(np.asarray(bracketed_root(lambda x: 0.0 * x, jnp.zeros(2), jnp.ones(2)))).all()
