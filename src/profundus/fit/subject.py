"""From one person's trials to a fitted person."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from profundus.errors import InputError, Problem
from profundus.fit.compiled import keep_compiled
from profundus.fit.objective import TERMS, Center, Objective
from profundus.fit.posterior import parameter_rows
from profundus.fit.priors import gain_prior, parameter_prior
from profundus.fit.training import Progress, Trainer, TrainingState
from profundus.model.anchors import anchored_ratio, draw_anchors, motion_seed
from profundus.model.fitted import FittedSubject
from profundus.model.inputs import learned_scaling, make_batch, padded_length
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.nmm import Layout
from profundus.model.settings import method_of, resolved, with_physics
from profundus.records import Anatomy, FitSettings, Trial


class Objectives:
    """The objectives of a study: people with the same electrodes share one, and with it one compilation.

    ``delay_prior`` is mean and sd of the electromechanical delay [s].
    """

    def __init__(
        self,
        anatomy: Anatomy,
        model: MusculoskeletalModel,
        settings: FitSettings,
        *,
        normalization: str,
        delay_prior: tuple[float, float] = (0.06, 0.02),
    ) -> None:
        keep_compiled()
        self.anatomy = anatomy
        self.model = model
        self.settings = resolved(settings)
        self._prior = parameter_prior(anatomy, delay_prior=delay_prior)
        self._gain = gain_prior(normalization)
        self._made: dict[tuple[Layout, float], Objective] = {}

    def of(self, layout: Layout, step: float) -> Objective:
        """Return the objective for electrodes and clock; the same object when asked again."""
        key = (layout, round(step, 9))
        if key not in self._made:
            self._made[key] = Objective(self.model, layout, self._prior, self.settings, self._gain, key[1])
        return self._made[key]


class SubjectFit:
    """The fit of one person: what stays fixed, and training that can be stopped and taken up.

    Only trials of role "fit" are seen, and of those never the truth.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        objectives: Objectives,
        *,
        seed: int,
    ) -> None:
        model = objectives.model
        self.settings = objectives.settings
        self.trials = _to_fit(trials, self.settings)
        first = self.trials[0]
        size = self.settings.network
        self.scaling = learned_scaling(self.trials, size)
        _refuse_missing_electrodes(self.trials, self.scaling.measured, needed=size.measured_emg)
        measured = tuple(bool(m) for m in self.scaling.measured)
        self.layout = Layout(first.muscles, measured, objectives.anatomy.groups)
        self.objective = objectives.of(self.layout, first.step)
        length = padded_length(self.trials, size)
        self.batch = make_batch(self.trials, model, size, self.scaling, length=length)
        state = np.asarray(self.batch.state, dtype=float)
        seen = state[np.asarray(self.batch.valid)]
        self.anchors = draw_anchors(
            seed, self.settings.loss, members=self.settings.members, muscles=len(first.muscles), states=seen
        )
        motions = [motion_seed(trial.angle) for trial in self.trials]
        ratios = [anchored_ratio(anchor, state, motions, step=first.step) for anchor in self.anchors]
        dtype = self.batch.emg.dtype
        gains = np.stack([anchor.gain for anchor in self.anchors])
        self.centers = Center(jnp.asarray(np.stack(ratios), dtype), jnp.asarray(gains, dtype))
        self.trainer = Trainer(self.objective, self.batch, self.centers, seed=seed)

    def start(self) -> TrainingState:
        """Return untrained members."""
        return self.trainer.start(parameters=len(self.objective.prior.names))

    def train(
        self, state: TrainingState, *, after_chunk: Callable[[TrainingState, Progress], None] | None = None
    ) -> TrainingState:
        """Return the trained members; ``after_chunk`` hears of every chunk."""

        def told(now: TrainingState) -> None:
            if after_chunk is not None:
                after_chunk(now, self.progress(now))

        return self.trainer.finish(state, after_chunk=told)

    def progress(self, state: TrainingState) -> Progress:
        """Return how far the training is."""
        means = state.history[-1].mean(axis=0)
        terms = {name: float(value) for name, value in zip(TERMS, means, strict=True)}
        return Progress(state.step, self.settings.steps, terms)

    def fitted(self, state: TrainingState, *, subject: str) -> FittedSubject:
        """Return the fitted person; without physics no parameter was fitted, and none is reported."""
        personal = state.members.personal
        physics = with_physics(self.settings)
        rows = parameter_rows(self.objective, state.members, self.batch, self.centers) if physics else ()
        return FittedSubject(
            subject=subject,
            method=method_of(self.settings),
            layout=self.layout,
            coordinates=self.trials[0].coordinates,
            settings=self.settings,
            scaling=self.scaling,
            anchors=self.anchors,
            members=state.members,
            parameters=jax.vmap(self.objective.prior.parameters)(personal),
            gain=np.exp(np.asarray(jax.vmap(self.objective.log_gain)(state.members, self.centers))),
            step=self.objective.step,
            rows=rows,
            terms=TERMS,
            history=state.history,
            converged=has_converged(state.history),
        )


def _to_fit(trials: Sequence[Trial], settings: FitSettings) -> tuple[Trial, ...]:
    """Return the trials of role "fit" that have a moment (without physics: all of that role); refuse none at all, and mixed clocks."""
    physics = with_physics(settings)
    found = tuple(trial for trial in trials if trial.role == "fit" and (np.any(trial.moment_valid) or not physics))
    if not found:
        expected = "a trial of role 'fit'" + (" with a joint moment" if physics else "")
        remedy = "Give one `moments`" if physics else "Give one the role"
        raise InputError(Problem("error", "no trial to fit", expected=expected, remedy=remedy))
    first = found[0]
    mixed = [
        Problem(
            "error",
            f"{trial.subject}: {trial.name}: clock of {trial.step:g} s",
            expected=f"{first.step:g} s, as in {first.name}",
            remedy="Put all trials on one clock",
        )
        for trial in found
        if abs(trial.step - first.step) > 1e-9
    ]
    if mixed:
        raise InputError(mixed)
    return found


def _refuse_missing_electrodes(trials: Sequence[Trial], measured: np.ndarray, *, needed: bool) -> None:
    """Refuse people without any electrode, and trials in which one is dead that others have: its silence would be taken for rest."""
    if not measured.any():
        raise InputError(Problem("error", "no muscle has EMG in the trials to fit", expected="at least one electrode"))
    dead = [
        Problem(
            "error",
            f"{trial.subject}: {trial.name}: no EMG of {muscle}",
            expected="the electrodes of the other trials to fit",
            remedy="Leave the trial out, or name the muscle as deep",
        )
        for trial in trials
        for muscle, seen, now in zip(trial.muscles, measured, trial.measured, strict=True)
        if seen and not now
    ]
    if dead and needed:
        raise InputError(dead)


def has_converged(history: np.ndarray) -> bool:
    """Return whether the loss of the last tenth of the steps is finite and within 5 % (or 5 nats) of the tenth before it."""
    total = history.sum(axis=2).mean(axis=1)
    tenth = max(1, len(total) // 10)
    if len(total) < 2 * tenth or not np.all(np.isfinite(total)):
        return False
    last, before = total[-tenth:].mean(), total[-2 * tenth : -tenth].mean()
    return bool(abs(before - last) <= max(5.0, 0.05 * abs(before)))
