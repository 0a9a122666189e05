"""The search for a person's 32 parameters against annealing and SQP: ``python benchmarks/personalization.py --reference FOLDER``.

All search the same compiled cost (12 trials, excitations known, prior included, 64-bit) from the same start, the prior's center: ours by
Levenberg-Marquardt with the slopes of the chain; simulated annealing as CEINMS calibrates with, between -5 and 5 prior standard deviations;
SLSQP of SciPy with finite differences. A rival's time is that in which it comes within 1 % of our final cost; annealing is stopped when it
had 100 times ours (``--patience``), and then said where it was. Beside it what one evaluation takes in plain NumPy.
"""

from __future__ import annotations

import math
import statistics
import time
from typing import Any

import numpy as np
from measuring import Contestant, Facts, Measured, parser, reference_file, rounded, row, run, save, serve

OURS, ANNEALING, SQP = "profundus", "simulated annealing (CEINMS's settings)", "SLSQP, finite differences"
NEAR, BOUND = 1.01, 5.0  # the optimum lies 4.5 prior standard deviations out in one parameter: inside, as it must


class Searches:
    """The three ways to the parameters, on one cost."""

    def __init__(self, asked: Any) -> None:
        import jax

        settings: Any = jax.config
        settings.update("jax_enable_x64", True)
        from elbow_person import person_of, task_of

        from profundus.fit.compiled import keep_compiled

        keep_compiled()
        self.task = task_of(person_of(reference_file(asked, "virtual_elbow", "study.toml")))
        self.count = len(self.task.prior.names)
        self._cost = jax.jit(self.half_squares)
        self.cost(np.zeros(self.count))  # compiles

    def half_squares(self, unknown: Any) -> Any:
        """Return half the sum of squares, as the search minimizes it; no slopes."""
        import jax
        import jax.numpy as jnp

        from profundus.model.musculoskeletal import Geometry

        task, own = self.task, self.task.prior.parameters(unknown)

        def error(one: Any) -> Any:
            geometry = Geometry(one.path_length, one.path_velocity, one.moment_arm)
            excitation = jnp.clip(one.excitation, 0.0, 1.0)
            found = task.model.respond(
                excitation, geometry, own, step=task.physics.step, muscle=task.physics.muscle,
                tendon=task.physics.tendon, smoothing=task.physics.smoothing, substeps=1,
            )  # fmt: skip
            return (found.joint_moment - one.moment) * one.weight

        return 0.5 * (jnp.sum(jax.vmap(error)(task.rows) ** 2) + jnp.sum(unknown**2))

    def cost(self, unknown: Any) -> float:
        return float(self._cost(unknown))

    def ours(self) -> Facts:
        import jax.numpy as jnp

        from profundus.fit.moment_search import Search, searched

        task = self.task
        began = time.perf_counter()
        found = searched(
            task.physics, task.model, task.gains, task.rows, Search(jnp.asarray(60), jnp.zeros(self.count))
        )
        value = np.asarray(found.solution.value)
        seconds = time.perf_counter() - began
        return {"seconds": seconds, "cost": self.cost(value), "evaluations": int(found.solution.steps) + 1}

    def annealing(self, target: float, seconds: float, seed: int) -> Facts:
        from annealing import annealed

        bound = np.full(self.count, BOUND)
        found = annealed(self.cost, np.zeros(self.count), -bound, bound, seed=seed, seconds=seconds)
        there = next((at for at, value in found.trace if value <= NEAR * target), None)
        facts = {
            "cost": found.cost,
            "evaluations": found.evaluations,
            "ended": found.ended,
            "reached": there is not None,
        }
        return {**facts, "seconds": found.seconds if there is None else there}

    def sqp(self, target: float) -> Facts:
        from scipy.optimize import minimize

        trace: list[tuple[float, float]] = []
        began = time.perf_counter()

        def cost(unknown: Any) -> float:
            value = self.cost(unknown)
            trace.append((time.perf_counter() - began, value))
            return value

        bounds = [(-BOUND, BOUND)] * self.count
        minimize(cost, np.zeros(self.count), method="SLSQP", bounds=bounds, options={"maxiter": 1000})
        there = next((at for at, value in trace if value <= NEAR * target), None)
        facts = {"cost": min(value for _, value in trace), "evaluations": len(trace), "reached": there is not None}
        return {**facts, "seconds": trace[-1][0] if there is None else there}

    def evaluations(self) -> Facts:
        """Return the seconds that one evaluation takes, compiled and in NumPy, and how far their costs are apart."""
        import numpy_cost

        task, model = self.task, self.task.model
        trials = numpy_cost.Trials(*(np.asarray(part, float) for part in task.rows))
        prior = numpy_cost.Prior(task.prior.center, task.prior.low, task.prior.high, task.prior.mixing)
        step, smoothing, strain = task.physics.step, task.physics.smoothing, model.passive_strain_at_one

        def plain(unknown: Any) -> float:
            return numpy_cost.cost(unknown, trials, prior, step=step, smoothing=smoothing, passive_strain=strain)

        chance = np.random.default_rng(0)
        compiled, slow, apart = [], [], []
        for _ in range(10):
            unknown = 0.5 * chance.normal(size=self.count)
            began = time.perf_counter()
            own = self.cost(unknown)
            between = time.perf_counter()
            other = plain(unknown)
            compiled.append(between - began)
            slow.append(time.perf_counter() - between)
            apart.append(abs(own / other - 1.0))
        return {"compiled": statistics.median(compiled), "numpy": statistics.median(slow), "apart": max(apart)}


def served(asked: Any) -> None:
    searches = Searches(asked)

    def turn(what: str, target: float = math.nan, patience: float = math.nan, seed: int = 0) -> Facts:
        if what == OURS:
            return searches.ours()
        if what == ANNEALING:
            return searches.annealing(target, patience, seed)
        return searches.sqp(target) if what == SQP else searches.evaluations()

    serve(turn)


def main() -> None:
    words = parser(__doc__ or "")
    words.add_argument(
        "--patience", type=float, default=100.0, help="annealing is stopped after so many times our time"
    )
    asked = words.parse_args()
    if asked.serve:
        served(asked)
        return
    reference_file(asked, "virtual_elbow")

    ours, sqp, annealing = Measured(OURS), Measured(SQP), Measured(ANNEALING)
    with Contestant(__file__, "searches", "--reference", asked.reference) as one:
        one.turn(what=OURS)  # compiles
        single = one.turn(what="evaluations")
        for number in range(min(asked.rounds, 2)):
            own = [one.turn(what=OURS) for _ in range(3)]
            ours.facts = sorted(own, key=lambda facts: facts["seconds"])[1]
            ours.seconds.append(ours.facts["seconds"])
            limit = asked.patience * ours.seconds[-1]
            for measured, more in ((sqp, {}), (annealing, {"patience": limit, "seed": number})):
                measured.facts = one.turn(what=measured.name, target=ours.facts["cost"], **more)
                measured.seconds.append(measured.facts["seconds"])
            ours.megabytes = sqp.megabytes = annealing.megabytes = measured.facts["megabytes"]
    rows = [line(ours, rival, single) for rival in (annealing, sqp)]
    save("personalization", "The 32 parameters of a person, excitations known", rows, asked)


def line(ours: Measured, rival: Measured, single: Facts) -> Facts:
    """Return the row of one rival: where it came to, and what it would take with a cost in NumPy."""
    cost, count = rival.facts["cost"], rival.facts["evaluations"]
    came = "came within 1 % of that" if rival.facts["reached"] else f"{rival.facts.get('ended', 'ended')} short of that"
    agreement = (
        f"final cost {ours.facts['cost']:.1f} after {ours.facts['evaluations']} linearizations;"
        f" rival {came}: {cost:.1f} after {count:,} evaluations"
    )
    note = (
        f"an evaluation takes {1e3 * single['compiled']:.2g} ms compiled, {1e3 * single['numpy']:.3g} ms in NumPy"
        f" (costs within {rounded(single['apart'], 1):g}), so {rounded(count * single['numpy'], 2):g} s"
        " for that many in NumPy (extrapolated)"
    )
    found = row(f"against {rival.name}", ours, rival, agreement=agreement, note=note)
    return {**found, "at_least": not rival.facts["reached"]}


if __name__ == "__main__":
    run(main)
