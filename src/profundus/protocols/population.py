"""What virtual people teach a regression that is then asked about real ones."""

from __future__ import annotations

from itertools import islice

from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import Anatomy
from profundus.rivals.population import PopulationRegression, learn_population
from profundus.simulate import PopulationSettings, simulate_people

SEED_APART = 7919  # virtual people of a comparison are not those that a study of the same seed was simulated with


def learned_population(
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    measured: tuple[str, ...],
    targets: tuple[str, ...],
    *,
    people: int = 100,
    seed: int = 0,
    settings: PopulationSettings | None = None,
) -> PopulationRegression:
    """Return the regression from ``measured`` envelopes, motion, load and moment to ``targets`` that virtual people teach."""
    chosen = settings or PopulationSettings()
    virtual = simulate_people(anatomy, model.geometry, chosen, seed=seed + SEED_APART, count=people)
    return learn_population([person.trials for person in islice(virtual, people)], measured, targets)
