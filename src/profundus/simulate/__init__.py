"""Virtual people whose deep excitations are known: they move, they are measured, and the truth is kept."""

from profundus.records.virtual import GivenMotion, PopulationSettings, VirtualPerson
from profundus.simulate.population import seen_with, simulate_people

__all__ = ["GivenMotion", "PopulationSettings", "VirtualPerson", "seen_with", "simulate_people"]
