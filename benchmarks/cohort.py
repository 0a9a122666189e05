"""What a cohort costs: people a minute by workers, memory, whether the thousandth person costs more than the first, and deaths of workers.

    python benchmarks/cohort.py --people 1000 --distinct 100 --out FOLDER            # in the background: nohup ... &

Virtual people are written once into FOLDER/lab (`profundus simulate`; with --distinct fewer are made, and each stands for several, under
names of their own), then `profundus cohort` fits them. A stage is written to FOLDER/cohort.json as soon as it is known, and one that stands
there is not measured again. Memory is read from /proc (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kill_and_resume import differences

from profundus.io.run_directory import FACTS, RunDirectory
from profundus.protocols.simulating import simulate_study
from profundus.records import PopulationSettings

COMMAND = [
    sys.executable,
    "-c",
    "import sys\nfrom profundus.cli.main import main\nif __name__ == '__main__':\n    sys.exit(main())",
]
MB = 1024.0
SAMPLE_S = 1.0
SUBJECT = re.compile(r"\n\[\[subject\]\]\n")
Facts = dict[str, Any]


@dataclass
class Watched:
    """A cohort that ran: exit code, wall time [s], and (time, MB) of each of its processes; the parent is the first."""

    code: int
    seconds: float
    began: float
    memory: dict[int, list[tuple[float, float]]] = field(default_factory=dict)


def lab(folder: Path, *, people: int, distinct: int, loads: tuple[float, ...], seed: int) -> Path:
    """Write the study and return its file: ``distinct`` people are simulated, and listed again and again until there are ``people``."""
    file = folder / "lab" / f"study_{people}.toml"
    if not (folder / "lab" / "study.toml").is_file():
        settings = PopulationSettings(loads_kg=loads)
        simulate_study(
            folder / "lab", settings, people=distinct, seed=seed, on_person=lambda n: print(f"made {n}", end="\r")
        )
    head, *persons = SUBJECT.split((folder / "lab" / "study.toml").read_text(encoding="utf-8"))
    listed = [re.sub(r'^id = ".*"', f'id = "P{n:06d}"', persons[n % len(persons)], count=1) for n in range(people)]
    file.write_text(head + "".join(f"\n[[subject]]\n{text}" for text in listed), encoding="utf-8")
    return file


def cohort(
    study: Path, out: Path, *, workers: int, threads: int | None = None, each: Callable[[list[int]], None] | None = None
) -> Watched:
    """Run the command on a study and watch its processes; ``each`` is told the workers' ids once a second."""
    more = [] if threads is None else ["--threads", str(threads)]
    command = [
        *COMMAND,
        "cohort",
        str(study),
        "--out",
        str(out),
        "--workers",
        str(workers),
        "--overwrite",
        "--quiet",
        *more,
    ]
    began, clock = time.time(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        watched = Watched(0, 0.0, began)
        while process.poll() is None:
            for pid in [process.pid, *workers_of(process.pid)]:
                if (size := megabytes(pid)) is not None:
                    watched.memory.setdefault(pid, []).append((time.time(), size))
            if each is not None:
                each(workers_of(process.pid))
            time.sleep(SAMPLE_S)
    watched.code, watched.seconds = process.returncode, time.perf_counter() - clock
    return watched


def workers_of(parent: int) -> list[int]:
    """Return the spawned workers of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, ValueError):  # it ended meanwhile
            continue
    return sorted(found)


def megabytes(pid: int) -> float | None:
    """Return the resident memory of a process [MB]; None where it has ended."""
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return None
    return int(found[1]) / MB if found else None


def finishing_times(out: Path) -> list[float]:
    """Return when people's results were there, in order."""
    return sorted((folder / FACTS).stat().st_mtime for folder in (out / "subjects").iterdir())


def throughput(study: Path, folder: Path, *, people: int, workers: int, threads: int | None) -> Facts:
    """Return what fitting the first people of a study costs with so many workers."""
    out = folder / f"run_{people}_{workers}"
    watched = cohort(study, out, workers=workers, threads=threads)
    times = finishing_times(out)
    parent, *others = watched.memory.values()
    window = max(2, min(100, len(times) // 3))
    first, last = times[:window], times[-window:]
    disk = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    steady = (len(times) - 1) / (times[-1] - times[0])
    return {
        "people": len(times),
        "workers": workers,
        "threads": threads,
        "exit_code": watched.code,
        "seconds": round(watched.seconds, 1),
        "before_first_s": round(times[0] - watched.began, 1),
        "after_last_s": round(watched.began + watched.seconds - times[-1], 1),
        "people_per_minute": round(60 * steady, 2),
        "seconds_of_one_fit": round(statistics.median(_seconds(out)), 3),
        "window": window,
        "first_s_a_person": round((first[-1] - first[0]) / (window - 1), 3),
        "last_s_a_person": round((last[-1] - last[0]) / (window - 1), 3),
        "parent_mb": round(max(size for _, size in parent)),
        "worker_peak_mb": round(max(size for one in others for _, size in one)),
        "worker_mb_first": round(_size_when(others, times[window - 1])),
        "worker_mb_last": round(_size_when(others, times[-1])),
        "disk_mb_a_person": round(disk / len(times) / 1e6, 3),
        "manifest_mb": round((out / "run.json").stat().st_size / 1e6, 3),
        "page_mb": round((out / "report.html").stat().st_size / 1e6, 3),
    }


def _seconds(out: Path) -> Iterator[float]:
    run = RunDirectory(out)
    return (run.facts(subject)["seconds"] for subject in run.subjects)


def _size_when(workers: list[list[tuple[float, float]]], moment: float) -> float:
    """Return the largest worker [MB] at a moment."""
    return max(min(one, key=lambda sample: abs(sample[0] - moment))[1] for one in workers)


def deaths(study: Path, folder: Path, reference: Path, *, workers: int, every_s: float, seed: int) -> Facts:
    """Kill a worker every few seconds while a cohort runs, and hold what is left against an undisturbed run."""
    rng, killed, last = random.Random(seed), 0, time.monotonic()

    def kill(pids: list[int]) -> None:
        nonlocal killed, last
        if pids and time.monotonic() - last > every_s:
            os.kill(rng.choice(pids), signal.SIGKILL)
            killed, last = killed + 1, time.monotonic()

    out = folder / "run_killed"
    watched = cohort(study, out, workers=workers, each=kill)
    wrong = differences(out, reference)
    return {"exit_code": watched.code, "kills": killed, "seconds": round(watched.seconds, 1), "differences": wrong}


def measured(folder: Path, asked: argparse.Namespace) -> None:
    """Measure what is not in FOLDER/cohort.json yet."""
    report = folder / "cohort.json"
    known: Facts = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}

    def stage(name: str, measure: Callable[[], Facts]) -> None:
        if name not in known:
            known[name] = measure() | {"load_before": round(os.getloadavg()[0], 2)}
            report.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        print(name, json.dumps(known[name]), flush=True)

    given = {
        "distinct": min(asked.distinct or asked.people, asked.people),
        "loads": tuple(asked.loads),
        "seed": asked.seed,
    }
    small, whole = (lab(folder, people=people, **given) for people in (min(asked.few, asked.people), asked.people))
    few = min(asked.few, asked.people)
    options = {"people": few, "threads": asked.threads}
    for workers in asked.workers:
        stage(f"{few} people, {workers} workers", lambda n=workers: throughput(small, folder, workers=n, **options))
    most = max(asked.workers)
    if asked.people > few:
        options["people"] = asked.people
        stage(f"{asked.people} people", lambda: throughput(whole, folder, workers=most, **options))
    reference = folder / f"run_{few}_{most}"
    turn = {"workers": most, "every_s": asked.kill_every, "seed": asked.seed}
    stage("killed", lambda: deaths(small, folder, reference, **turn))
    steady = known.get(f"{asked.people} people", known[f"{few} people, {most} workers"])
    stage("extrapolated", lambda: extrapolated(steady))


def extrapolated(steady: Facts, people: int = 100_000) -> Facts:
    """Return what so many people would take at the pace, memory and disk of a measured run; in studies of a thousand each."""
    one_worker = steady["people_per_minute"] / steady["workers"]
    hours = {str(n): round(people / (one_worker * n) / 60, 1) for n in (steady["workers"], 32, 128)}
    return {"people": people, "hours_by_workers": hours, "disk_gb": round(people * steady["disk_mb_a_person"] / 1e3, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the study, the runs and cohort.json")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--distinct", type=int, help="virtual people to make; default: all")
    parser.add_argument("--few", type=int, default=20, help="people for each number of workers, and for the killed run")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--threads", type=int, help="of each worker; default: as `fit`")
    parser.add_argument("--loads", type=float, nargs="+", default=[1.0, 4.0], help="kg; six trials each")
    parser.add_argument(
        "--kill-every", type=float, default=20.0, help="seconds between kills; longer than a worker takes to start"
    )
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    measured(asked.out.resolve(), asked)


if __name__ == "__main__":
    main()
