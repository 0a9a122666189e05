"""What makes one person's muscles different from another's: the parameters that are personalized."""

from __future__ import annotations

import equinox as eqx
from jaxtyping import Array, Float

from profundus.quantities import quantity


class MuscleParameters(eqx.Module):
    """Five numbers a muscle."""

    max_isometric_force: Float[Array, " muscle"] = quantity("N", low=1.0, high=2e4)
    optimal_fiber_length: Float[Array, " muscle"] = quantity("m", low=0.005, high=0.6)
    tendon_slack_length: Float[Array, " muscle"] = quantity("m", low=0.001, high=0.6)
    pennation_at_optimal: Float[Array, " muscle"] = quantity("rad", low=0.0, high=0.35)
    electromechanical_delay: Float[Array, " muscle"] = quantity("s", low=0.0, high=0.125)


class ActivationParameters(eqx.Module):
    """Two numbers a person; ``time_constant`` is that of rising activation."""

    shape_factor: Float[Array, ""] = quantity("-", low=-3.0, high=0.0)
    time_constant: Float[Array, ""] = quantity("s", low=0.0075, high=0.035)


class Parameters(eqx.Module):
    """All personal parameters: 32 numbers for six muscles."""

    muscles: MuscleParameters
    activation: ActivationParameters
