"""Long-lived worker processes of this machine that take people one by one; a worker that dies costs the time of one person."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from profundus.errors import Problem, ResourceError
from profundus.protocols.cohort_jobs import MEMORY, CohortFailure, Finished, Job, Work, attempted

TRIES = 3
"""Workers that may die over one person before he is counted as failed."""
STILLBORN = 10
"""Workers in a row, beside one for each place, that may be killed before they begin; of those that end by themselves none."""
GRACE_S = 3.0
READY = "ready"
UNSTARTED = (
    "worker processes end before they begin to work: see what they said above. In a script of your own, call this "
    'under `if __name__ == "__main__":`'
)


@dataclass(frozen=True)
class Processes:
    """A crew of ``workers`` processes. They start Python anew, take one job at a time, and end when their parent does.

    ``threads`` is how many each computes with; None: as many as this process would, so that results have the same bits as its own. A pool
    of the standard library is lost as a whole when one of its processes dies; here the others do not notice.
    """

    workers: int
    threads: int | None = None
    tries: int = TRIES

    def __call__(self, jobs: Iterator[Job], work: Work) -> Generator[Finished, None, None]:
        """Yield each job's end as it comes. However this is left, no process remains. Raises ResourceError where none can start."""
        crew = _Crew(work, self)
        try:
            yield from crew.served(jobs)
        finally:
            crew.dismiss()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_settings(threads: int | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which a process computes with so many threads; nothing where it is to be as it is.

    XLA counts its threads by NPROC, BLAS by OMP_NUM_THREADS. Sums are split by the number of threads: another number, other last digits.
    """
    if threads is None:
        return {}
    flags = environment.get("XLA_FLAGS", "")
    alone = "--xla_cpu_multi_thread_eigen=false"
    if threads == 1 and alone not in flags:
        flags = (
            f"{alone} {flags}".strip()
        )  # the first must begin with dashes: else XLA takes them for the name of a file
    return {"NPROC": str(threads), "OMP_NUM_THREADS": str(threads)} | ({"XLA_FLAGS": flags} if flags else {})


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None
    began: bool = False


class _Crew:
    def __init__(self, work: Work, asked: Processes) -> None:
        self.work, self.most, self.tries = work, asked.workers, asked.tries
        self.environment = thread_settings(asked.threads, os.environ)
        self.workers: list[_Worker] = []
        self.again: deque[Job] = deque()
        self.deaths: dict[str, int] = {}
        self.stillborn = 0

    def served(self, jobs: Iterator[Job]) -> Iterator[Finished]:
        """Hand out jobs one by one and yield their ends."""
        waiting = self._next(jobs)
        while waiting is not None or any(worker.job for worker in self.workers):
            while waiting is not None and (idle := self._idle()) is not None:
                if self._handed(idle, waiting):
                    waiting = self._next(jobs)
            ends = [self._heard(worker) for worker in self._speaking()]
            yield from (end for end in ends if end is not None)
            waiting = self._next(jobs) if waiting is None else waiting

    def dismiss(self) -> None:
        """End all processes: the idle ones by word, the others by force."""
        for worker in self.workers:
            if worker.process.is_alive():
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
            worker.process.close()
        self.workers = []

    def _next(self, jobs: Iterator[Job]) -> Job | None:
        return self.again.popleft() if self.again else next(jobs, None)

    def _idle(self) -> _Worker | None:
        """Return a worker without a job; a new one where all are busy and there may be more."""
        idle = next((worker for worker in self.workers if worker.job is None), None)
        if idle is None and len(self.workers) < self.most:
            idle = self._started()
            self.workers.append(idle)
        return idle

    def _started(self) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self.work), name="profundus-worker")
        with _environment(self.environment):
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _handed(self, worker: _Worker, job: Job) -> bool:
        """Return whether a worker took the job; one that is dead is let go."""
        try:
            worker.pipe.send(job)
        except OSError:
            self._died(worker)
            return False
        worker.job = job
        return True

    def _speaking(self) -> list[_Worker]:
        """Return the workers that said something, or died."""
        heard = connection.wait([part for w in self.workers for part in (w.pipe, w.process.sentinel)])
        return [worker for worker in self.workers if worker.pipe in heard or worker.process.sentinel in heard]

    def _heard(self, worker: _Worker) -> Finished | None:
        try:
            said: Any = worker.pipe.recv() if worker.pipe.poll() else None
        except (EOFError, OSError):
            said = None
        if said is None:
            return self._died(worker)
        worker.began, self.stillborn = True, 0
        if said == READY:
            return None
        job, worker.job = worker.job, None
        assert job is not None
        return self._ended(job, said)

    def _ended(self, job: Job, end: Finished) -> Finished | None:
        """Return the end of a job; None where it is tried again, as memory may be short only while others need it, too."""
        if end.failure is None:
            return end
        tries = self.deaths.get(job.subject, 0) + 1
        if end.failure.reason == "memory" and tries < self.tries:
            self.deaths[job.subject] = tries
            self.again.append(job)
            return None
        return replace(end, failure=replace(end.failure, tries=tries))

    def _died(self, worker: _Worker) -> Finished | None:
        job, began = worker.job, worker.began
        how = self._bury(worker)
        if not began:
            self.stillborn += 1
            if self.stillborn > self.most + (STILLBORN if how.startswith("by signal") else 1):
                raise ResourceError(f"{UNSTARTED} ({how}).")
            if job is not None:
                self.again.append(job)
            return None
        return None if job is None else self._lost(job, how)

    def _lost(self, job: Job, how: str) -> Finished | None:
        """Return the failure of a person over whom too many workers died; None where he is tried again."""
        tries = self.deaths.get(job.subject, 0) + 1
        self.deaths[job.subject] = tries
        if tries < self.tries:
            self.again.append(job)
            return None
        what = f"{tries} worker processes died over this person, the last one {how}"
        return Finished(
            job.subject, CohortFailure(job.subject, "died", (Problem("error", what, remedy=MEMORY),), tries=tries)
        )

    def _bury(self, worker: _Worker) -> str:
        """Let go of a worker and return how it ended."""
        worker.process.join(GRACE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        code = worker.process.exitcode or 0
        self.workers.remove(worker)
        worker.pipe.close()
        worker.process.close()
        return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _serve(pipe: Connection, work: Work) -> None:
    """Do jobs until there are no more; an interrupt is the parent's business, and without a parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pipe.send(READY)
    while True:
        try:
            job: Job = pipe.recv()
        except EOFError:
            return
        pipe.send(attempted(work, job))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a process that is started inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old
