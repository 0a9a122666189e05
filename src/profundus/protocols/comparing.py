"""Every method on the same people, trials and split, scored against what is known of the deep muscles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from profundus.protocols.asking import Asked, ComparisonResult, How, Timed, asked_about, timed_answer
from profundus.protocols.methods import Bench, Case, chosen
from profundus.protocols.models import model_of
from profundus.protocols.population import People, recorded_people, taught_by, virtual_people
from profundus.records import Reconstruction, ScoreRow, Study, Trial
from profundus.validate.scores import score
from profundus.validate.splits import split_from


def compare_study(study: Study, out: Path, asked: Asked | None = None, how: How | None = None) -> ComparisonResult:
    """Ask every method about every person of a study, on the trials and the split that all share, and score the answers.

    A method that fails for a person is noted with its reason; the others go on. Raises InputError for methods and people that do not
    exist, and for a folder with other data; ConvergenceError where no method had an answer for anybody.
    """
    wanted = asked or Asked(chosen(None))
    wanted = replace(wanted, methods=chosen(wanted.methods))
    bench = bench_of(study, wanted)
    return asked_about(bench.study, out, bench, _Compared, asked=wanted, how=how or How())


def bench_of(study: Study, asked: Asked) -> Bench:
    """Return what all people of a study share, its trials split as asked.

    Where the split is by person, the others teach the regression with what is known of their muscles; else virtual people do.
    """
    teachers, judged = split_from(asked.split)(study)
    anatomy, model = model_of(judged)
    if teachers is judged:
        people: Callable[[], People] = partial(
            virtual_people, anatomy, model, judged, count=asked.people, seed=asked.seed
        )
    else:
        people = partial(recorded_people, teachers, anatomy)
    return Bench(judged, anatomy, model, asked.seed, taught_by(people))


@dataclass(frozen=True)
class _Compared:
    """One person, asked about as he was recorded."""

    bench: Bench
    recorded: tuple[Trial, ...]

    @cached_property
    def case(self) -> Case:
        """Return the person as methods meet him."""
        return Case(self.bench, self.recorded)

    def ask(self, method: str) -> Timed:
        """Return a method's answer and the seconds that it took."""
        return timed_answer(self.case, method)

    def rows(self, rec: Reconstruction) -> tuple[ScoreRow, ...]:
        """Return the scores of all muscles with a truth and of the moments."""
        return score(rec).rows
