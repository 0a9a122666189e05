"""Virtual people who share their muscles' work in a way that the population a method learned from never did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal

import numpy as np

from profundus.errors import InputError, Problem
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.methods import YARDSTICK, blind, revealed
from profundus.protocols.models import copy_of_nearest
from profundus.protocols.population import FEW_TRIALS
from profundus.records import Anatomy, PopulationSettings, Scorecard, ScoreRow, Trial, VirtualPerson
from profundus.records.virtual import MIXED
from profundus.rivals.population import PopulationRegression, learn_population, population_regression
from profundus.simulate import seen_with, simulate_people
from profundus.validate.paired import PairedRow, paired
from profundus.validate.scores import score

Taught = Literal["all", "others"]
Listener = Callable[[str], object]
REGRESSION, MIXTURE = "population_regression", "mixture"


@dataclass(frozen=True)
class Laboratory:
    """Who is simulated and what is seen of them: electrodes on ``measured``, the ``targets`` to be found, settings of the population."""

    anatomy: Anatomy
    model: MusculoskeletalModel
    measured: tuple[str, ...]
    targets: tuple[str, ...]
    settings: PopulationSettings = field(default_factory=lambda: PopulationSettings(trials=FEW_TRIALS))
    seed: int = 0

    def people(self, count: int, *, first: int = 0) -> tuple[VirtualPerson, ...]:
        """Return the people ``first`` to ``first + count - 1`` of the population."""
        found = simulate_people(
            self.anatomy, self.model.geometry, self.settings, seed=self.seed, count=count, first=first
        )
        return tuple(found)

    def learned(self, teachers: Sequence[VirtualPerson]) -> PopulationRegression:
        """Return the regression that people teach."""
        return learn_population([person.trials for person in teachers], self.measured, self.targets)

    def rows(self, person: VirtualPerson, taught: Mapping[Any, PopulationRegression]) -> Iterator[ScoreRow]:
        """Yield a person's scores over all trials: those of the copy and, by the name that each is given, of regressions."""
        known = tuple(self._judged(trial) for trial in seen_with(person.trials, self.measured))
        seen = tuple(map(blind, known))
        answers = [population_regression(seen, learned, method=name) for name, learned in taught.items()]
        for rec in (copy_of_nearest(seen, self.anatomy, self.model), *answers):
            found = score(revealed(rec, known)).rows
            yield from (row for row in found if row.trial == "all")

    def _judged(self, trial: Trial) -> Trial:
        """Return the trial as one to be judged by, with the truth of the targets alone."""
        return replace(trial, role="test", truth=np.where(np.isin(trial.muscles, self.targets), trial.truth, np.nan))


@dataclass(frozen=True)
class StrategyRow:
    """A regression against the copy for one muscle of people who have but one ``family`` of control strategies.

    ``taught`` by "all" families or by all "others". ``covered`` is the share of samples that the 90 % band holds, the mean over people, and
    ``covered_least`` that of the person whom it serves worst.
    """

    family: str
    taught: Taught
    held: PairedRow
    covered: float
    covered_least: float


@dataclass(frozen=True)
class DisturbanceRow:
    """A method's error for one muscle with a fault of the measurement, against its error in the same people without it."""

    fault: str
    method: str
    held: PairedRow


def leave_one_strategy_out(
    lab: Laboratory, *, teachers: int = 100, tested: int = 20, on_family: Listener | None = None
) -> tuple[StrategyRow, ...]:
    """Return how a population regression fares on people whose family of control strategies nobody showed it, family by family.

    Beside it stands the regression that all families taught, with as many teachers (``teachers``, the same number of every family, rounded
    down); both are asked about the same ``tested`` people of every family, who taught neither. Raises InputError for fewer than two
    families and fewer than two teachers of each, and as `simulate_people`.
    """
    families = [name for name, share in lab.settings.families.items() if share > 0]
    alone, together = teachers // max(len(families) - 1, 1), teachers // max(len(families), 1)
    _refuse(len(families), together, tested)
    crowds: dict[str, tuple[VirtualPerson, ...]] = {}
    for number, family in enumerate(families):
        only = replace(lab, settings=replace(lab.settings, families={family: 1.0}))
        crowds[family] = only.people(alone + tested, first=number * (alone + tested))
        if on_family is not None:
            on_family(family)
    all_of_them = lab.learned(list(chain.from_iterable(crowd[:together] for crowd in crowds.values())))
    found: list[StrategyRow] = []
    for number, (family, crowd) in enumerate(crowds.items(), start=len(families)):
        them = {name: crowds[name][:alone] for name in families if name != family}
        if MIXTURE in them and family in MIXED:
            rest = dict.fromkeys((name for name in MIXED if name != family and name in families), 0.0)
            pure = replace(lab, settings=replace(lab.settings, families={MIXTURE: 1.0, **rest}))
            them[MIXTURE] = pure.people(alone, first=number * (alone + tested))
        others = chain.from_iterable(them.values())
        taught: dict[Taught, PopulationRegression] = {"all": all_of_them, "others": lab.learned(list(others))}
        rows = [row for person in crowd[alone:] for row in lab.rows(person, taught)]
        found += [row for by in taught for row in _strategy_rows(family, by, rows)]
    return tuple(found)


def disturbed(
    lab: Laboratory,
    faults: Mapping[str, PopulationSettings],
    *,
    teachers: int = 100,
    tested: int = 20,
    on_fault: Listener | None = None,
) -> tuple[DisturbanceRow, ...]:
    """Return how much worse the copy and the population regression become where the measurement has ``faults``, by name.

    The same ``tested`` people are measured once as the laboratory does and once with each fault; the regression was taught without any.
    """
    taught = {REGRESSION: lab.learned(lab.people(teachers, first=tested))}
    clean = [row for person in lab.people(tested) for row in lab.rows(person, taught)]
    found = []
    for fault, settings in faults.items():
        ill = replace(lab, settings=settings)
        faulty = [row for person in ill.people(tested) for row in ill.rows(person, taught)]
        for method in (YARDSTICK, REGRESSION):
            both = [
                replace(row, method=name)
                for name, rows in (("clean", clean), (fault, faulty))
                for row in rows
                if row.method == method
            ]
            held = paired(Scorecard(tuple(both)), against="clean")
            found += [DisturbanceRow(fault, method, one) for one in held if one.method == fault]
        if on_fault is not None:
            on_fault(fault)
    return tuple(found)


def _strategy_rows(family: str, taught: Taught, rows: Sequence[ScoreRow]) -> Iterator[StrategyRow]:
    card = Scorecard(tuple(row for row in rows if row.method in (taught, YARDSTICK)))
    for held in paired(card, against=YARDSTICK):
        if held.method == taught:
            covered = [row.coverage90 for row in card.rows if (row.method, row.name) == (taught, held.name)]
            yield StrategyRow(family, taught, held, float(np.mean(covered)), float(np.min(covered)))


def _refuse(families: int, together: int, tested: int) -> None:
    problems = []
    if families < 2:
        problems.append(
            Problem("error", f"{families} family of strategies is left to choose from", expected="two or more")
        )
    if together < 2:
        problems.append(Problem("error", f"{together} teachers of every family", expected="two or more"))
    if tested < 1:
        problems.append(Problem("error", f"{tested} people of every family are tested", expected="one or more"))
    if problems:
        raise InputError(problems)
