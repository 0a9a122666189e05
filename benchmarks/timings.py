"""Wall time and peak memory of the commands: ``python benchmarks/timings.py [--study STUDY_DIR] [--runs 5]``.

Every command runs in a process of its own, in turn with its rival where there is one, on the same machine in the same minute; the median
over the runs is printed. ``--study`` (the virtual-elbow data) adds one full person: 12 trials of 8 s to fit, 6 to test.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = sys.executable
PROGRAM = str(Path(PYTHON).parent / "profundus")
DEMO = Path(__file__).parents[1] / "src" / "profundus" / "data" / "demo"
ROWS, COLUMNS = 100_000, 20
WRITE_TABLE = f"""
import sys, numpy as np
from pathlib import Path
from profundus.io.tables import write_table
from profundus.records import Table
labels = tuple(f"c{{i}}" for i in range({COLUMNS}))
values = np.random.default_rng(0).normal(size=({ROWS}, {COLUMNS}))
write_table(Table(labels, np.arange({ROWS}) / 1000.0, values, in_degrees=False), Path(sys.argv[1]))
"""
READ = "import sys; from profundus.io.tables import read_table; read_table(sys.argv[1])"
READ_PANDAS = "import sys, pandas; pandas.read_csv(sys.argv[1], sep='\\t', skiprows=6)"


@dataclass
class Task:
    """A command, how often it runs, what it is compared with, and what it took: wall time [s] and peak memory [MB] of each run."""

    name: str
    command: Sequence[str]
    runs: int
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run the command once."""
        began = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(time.perf_counter() - began)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(self.command)} ended with {process.returncode}")
        self.megabytes.append(usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))

    def __str__(self) -> str:
        spread = f"{min(self.seconds):.2f} to {max(self.seconds):.2f}"
        median = statistics.median(self.seconds)
        return (
            f"| {self.name} | {median:.2f} | {spread} | {statistics.median(self.megabytes):.0f} | {len(self.seconds)} |"
        )


def tasks(folder: Path, table: Path, study: Path | None, runs: int) -> list[Task]:
    """Return what is timed; rivals stand right after what they are held against."""
    few = max(1, runs // 2)
    found = [
        Task("`profundus --help`", [PROGRAM, "--help"], runs),
        Task("beside it: `import typer`", [PYTHON, "-c", "import typer"], runs),
        Task("`profundus check` of the demo", [PROGRAM, "check", str(DEMO / "study.toml")], runs),
        Task(f"read_table, {ROWS} x {COLUMNS}", [PYTHON, "-c", READ, str(table)], runs),
        Task("beside it: pandas.read_csv", [PYTHON, "-c", READ_PANDAS, str(table)], runs),
        Task(
            "`profundus demo` (9 trials to fit)", [PROGRAM, "demo", "--out", str(folder / "demo"), "--overwrite"], few
        ),
    ]
    if study is not None:
        out = ["--out", str(folder / "fit"), "--overwrite"]
        command = [PROGRAM, "fit", str(study / "study.toml"), "--subject", "S100", *out]
        found.append(Task("`profundus fit` of a person (12 trials of 8 s)", command, few))
        found.append(Task("`profundus check` of 13 persons, 234 trials", [PROGRAM, "check", command[2]], few))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, help="folder of the virtual-elbow study")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "table.sto"
        subprocess.run([PYTHON, "-c", WRITE_TABLE, str(table)], check=True)
        timed = tasks(Path(name), table, asked.study, asked.runs)
        for turn in range(asked.runs):
            for task in timed:
                if turn < task.runs:
                    task.run()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}\n")
    print("| what | median s | range s | peak MB | runs |\n|---|---:|---:|---:|---:|")
    print("\n".join(map(str, timed)))


if __name__ == "__main__":
    main()
