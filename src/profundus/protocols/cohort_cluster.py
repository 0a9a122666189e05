"""Workers of an existing Dask cluster as the crew of a cohort: the same work, on other machines that see the same files."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from profundus.errors import InputError, Problem, ResourceError
from profundus.protocols.cohort_jobs import MEMORY, CohortFailure, Finished, Job, Work, attempted, failure_from

CONNECT_S = 20
AHEAD = 2
"""People handed to the scheduler for each thread of the cluster: one at work, one that waits for it. The scheduler never holds them all."""
EXTRA = 'Install it with `pip install "profundus[cluster]"`'


@dataclass(frozen=True)
class DaskCluster:
    """A crew of the workers of the scheduler at ``address``; a person whose worker dies is given to another by the scheduler itself.

    How many workers may die over one person is the scheduler's ``distributed.scheduler.allowed-failures``.
    """

    address: str

    def __call__(self, jobs: Iterator[Job], work: Work) -> Generator[Finished, None, None]:
        """Yield each job's end as it comes. Raises InputError where Dask is missing or nobody answers, ResourceError where it goes away."""
        client = _client(self.address)
        try:
            yield from _served(client, jobs, work)
        finally:
            client.close()


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        what = "Dask is not installed"
        raise InputError(Problem("error", what, expected="dask and distributed", remedy=EXTRA)) from error
    try:
        connect: Any = Client
        return connect(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        what = f"no Dask scheduler answers at {address} ({error})"
        remedy = "Start one with `dask scheduler`, or correct --scheduler"
        raise InputError(Problem("error", what, expected="an address like tcp://host:8786", remedy=remedy)) from error


def _served(client: Any, jobs: Iterator[Job], work: Work) -> Iterator[Finished]:
    from distributed import as_completed

    running: dict[Any, Job] = {}
    stream: Any = as_completed
    completed = stream(loop=client.loop)

    def hand_out() -> None:
        threads = sum(client.nthreads().values())
        while len(running) < AHEAD * max(threads, 1) and (job := next(jobs, None)) is not None:
            future = client.submit(_alone, work, job, pure=False, key=f"profundus-{job.subject}-{id(job)}")
            running[future] = job
            completed.add(future)

    hand_out()
    while running:
        future = next(completed)
        job = running.pop(future)
        yield _end(future, job)
        future.release()
        hand_out()


def _alone(work: Work, job: Job) -> Finished:
    """Return how a job ended. xarray is not to write its files with locks of the cluster: it cannot, where they are made in memory."""
    import dask

    with dask.config.set(scheduler="threads"):
        return attempted(work, job)


def _end(future: Any, job: Job) -> Finished:
    """Return how a job ended on the cluster. Raises ResourceError where the scheduler does not know it any more."""
    from distributed import KilledWorker

    if future.status in {"cancelled", "lost"}:
        raise ResourceError(f"{job.subject}: the Dask scheduler went away. The same command with --resume goes on.")
    if future.status == "finished":
        end = future.result()
        assert isinstance(end, Finished)
        return end
    error = future.exception()
    if isinstance(error, KilledWorker):
        what = f"every worker that took this person died ({error})"
        problem = Problem("error", " ".join(what.split()), remedy=MEMORY)
        return Finished(job.subject, CohortFailure(job.subject, "died", (problem,)))
    return Finished(job.subject, failure_from(error, job.subject))
