"""Cheap work for crews of a cohort: people who are done, fail, or take their worker with them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from profundus.errors import InputError, Problem


@dataclass(frozen=True)
class Deed:
    """What becomes of a person: "fine", "bad" (input), "bug", "memory", "killed" always, "killed once", or "slow" with the worker's id."""

    person: str
    kind: str


@dataclass(frozen=True)
class Writes:
    """Leaves a file for everybody who was done, and the process that did it."""

    folder: Path

    def __call__(self, deed: Deed) -> None:
        tried = self.folder / f"{deed.person}.tried"
        again = tried.exists()
        tried.write_text(str(os.getpid()), encoding="utf-8")
        if deed.kind == "killed" or (deed.kind == "killed once" and not again):
            os.kill(os.getpid(), signal.SIGKILL)
        if deed.kind == "bad":
            raise InputError([Problem("error", "no EMG", "a.sto"), Problem("error", "no moments", "b.sto")])
        if deed.kind == "bug":
            raise ZeroDivisionError("over nothing")
        if deed.kind == "memory" and not again:
            raise MemoryError
        if deed.kind == "slow":
            time.sleep(60)
        (self.folder / f"{deed.person}.done").write_text(str(os.getpid()), encoding="utf-8")


@dataclass(frozen=True)
class Unstartable(Writes):
    """Cannot be received by another process."""

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return _refuse, ()


def _refuse() -> None:
    raise SystemExit(7)
