"""The table of parameters says what the data decided and what only the prior did."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from curls import small_fit
from profundus.fit.posterior import parameter_rows

BRA = 5


@pytest.fixture(scope="module")
def rows():
    return {(row.muscle, row.parameter): row for row in small_fit().fitted.rows}


@pytest.fixture(scope="module")
def agreed():
    """Return members that agree on everything, so that only the moment speaks."""
    worked = small_fit()
    members = jax.tree.map(lambda leaf: jnp.stack([leaf[0]] * len(leaf)), worked.state.members)
    return members, jax.tree.map(lambda leaf: jnp.stack([leaf[0]] * len(leaf)), worked.work.centers)


def table(members, centers, **changed):
    work = small_fit().work
    found = parameter_rows(work.objective, members, work.batch._replace(**changed), centers)
    return {(row.muscle, row.parameter): row for row in found}


def test_every_parameter_has_its_row_inside_its_fence(rows):
    assert len([name for _, name in rows if name != "emg_gain"]) == 32
    assert [muscle for muscle, name in rows if name == "emg_gain"] == ["TRIlong", "TRIlat", "BIClong", "BICshort"]
    assert all(row.lower <= row.fitted <= row.upper for row in rows.values())
    assert all(row.posterior_sd > 0 for row in rows.values())
    assert rows["BRA", "max_isometric_force"].generic == pytest.approx(987.26)
    assert rows["BRA", "electromechanical_delay"].unit == "s"


def test_a_muscle_without_lever_keeps_its_prior(agreed):
    arm = small_fit().work.batch.moment_arm
    found = table(*agreed, moment_arm=arm.at[..., BRA].set(0.0))
    for name in ("optimal_fiber_length", "tendon_slack_length", "pennation_at_optimal", "electromechanical_delay"):
        row = found["BRA", name]
        assert row.posterior_sd == pytest.approx(row.prior_sd, rel=0.02)
        assert not row.moved_by_data


def test_strength_of_a_muscle_without_lever_is_learned_from_the_others(agreed):
    arm = small_fit().work.batch.moment_arm
    row = table(*agreed, moment_arm=arm.at[..., BRA].set(0.0))["BRA", "max_isometric_force"]
    own = 0.25 / np.hypot(0.33, 0.25)  # what is left of the prior once the common strength is known
    assert own * 0.95 < row.posterior_sd / row.prior_sd < 0.98


def test_without_moments_every_parameter_keeps_its_prior(agreed):
    silent = jnp.zeros_like(small_fit().work.batch.moment_valid)
    for row in table(*agreed, moment_valid=silent).values():
        assert row.posterior_sd <= row.prior_sd * (1 + 1e-6)
        assert not row.moved_by_data or row.posterior_sd > 0.5 * row.prior_sd


def test_what_the_moment_sees_gets_narrower(agreed):
    found = table(*agreed)
    assert found["BIClong", "max_isometric_force"].posterior_sd < 0.8 * found["BIClong", "max_isometric_force"].prior_sd
    less = jnp.asarray(small_fit().work.batch.moment_valid).at[:, 100:].set(False)
    short = table(*agreed, moment_valid=less)
    narrower = [found[key].posterior_sd <= short[key].posterior_sd * (1 + 1e-6) for key in found]
    assert all(narrower)


def test_members_that_disagree_widen_the_posterior(rows, agreed):
    force = ("BRA", "max_isometric_force")
    assert rows[force].posterior_sd > table(*agreed)[force].posterior_sd
