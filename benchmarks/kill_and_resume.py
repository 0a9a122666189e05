"""Kill a fit at random moments and resume it: ``python benchmarks/kill_and_resume.py [--kills 50] [--out DIR]``.

``profundus fit`` on a small study (one load of the demo, as two persons, few steps) gets SIGKILL at a random moment of its life, and is
resumed, again and again; each time a run comes to its end it is compared with an uninterrupted one, file by file and byte for byte (the
manifest but for its timings, archives and weights array by array), and a new run begins. Ends with 0 only if nothing ever differed or was
left over.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from profundus.io.archive import read_archive
from profundus.io.run_directory import ARCHIVE, CHECKPOINTS, MANIFEST, RunDirectory
from profundus.io.store import is_unfinished
from profundus.io.weights import read_arrays

DEMO = Path(__file__).parents[1] / "src" / "profundus" / "data" / "demo"
PERSONS = ("one", "two")
LOAD = 2
REPORT = "report.html"  # says when it was made and how long the run took


def small_study(folder: Path, *, steps: int) -> Path:
    """Write the study and return its file."""
    head, *trials = (DEMO / "study.toml").read_text(encoding="utf-8").split("\n  [[subject.trial]]")
    settings, _, _ = head.partition("[[subject]]")
    mine = "".join(f"\n  [[subject.trial]]{trial}" for trial in trials if f"load{LOAD}_" in trial)
    people = "".join(f'\n[[subject]]\nid = "{name}"\n{mine}' for name in PERSONS)
    for trial in DEMO.glob(f"load{LOAD}_*"):
        shutil.copytree(trial, folder / trial.name)
    file = folder / "study.toml"
    file.write_text(f"{settings}[fit]\nsteps = {steps}\n{people}", encoding="utf-8")
    return file


def fit(program: str, study: Path, out: Path, *, resume: bool, killed_after: float | None = None) -> int:
    """Run one fit, kill it where asked, and return its exit code (minus the signal's number where it was killed)."""
    command = [program, "fit", str(study), "--out", str(out), *(["--resume"] if resume else [])]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            _, said = process.communicate(timeout=killed_after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, said = process.communicate()
    if process.returncode not in {0, -signal.SIGKILL}:
        print(said.decode(errors="replace")[-2000:], file=sys.stderr)
    return process.returncode


def differences(run: Path, reference: Path) -> list[str]:
    """Return what differs between two finished runs, and what should not be there."""
    files = {path.relative_to(run) for path in run.rglob("*") if path.is_file()}
    expected = {path.relative_to(reference) for path in reference.rglob("*") if path.is_file()}
    wrong = [f"{name}: only in one of the two" for name in sorted(files ^ expected)]
    wrong += [f"{path}: left over" for path in run.rglob("*") if is_unfinished(path) or path.name == CHECKPOINTS]
    return wrong + [f"{name}: differs" for name in sorted(files & expected) if not same(run / name, reference / name)]


def same(one: Path, other: Path) -> bool:
    if one.name == REPORT:
        return one.read_bytes().rstrip().endswith(b"</html>")
    if one.suffix == ".json":
        return without_timings(json.loads(one.read_bytes())) == without_timings(json.loads(other.read_bytes()))
    if one.name == ARCHIVE:
        return same_arrays(read_archive(one).variables, read_archive(other).variables)
    if one.suffix == ".safetensors":  # the library writes the facts in its header in any order
        (arrays, facts), (their_arrays, their_facts) = read_arrays(one), read_arrays(other)
        return facts == their_facts and same_arrays(arrays, their_arrays)
    return one.read_bytes() == other.read_bytes()


def same_arrays(mine: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> bool:
    return set(mine) == set(theirs) and all(bits(mine[name]) == bits(theirs[name]) for name in mine)


def bits(values: object) -> bytes:
    array = np.asarray(values)
    return array.tobytes() if array.dtype != object else repr(array.tolist()).encode()


def without_timings(facts: object) -> object:
    if isinstance(facts, dict):
        return {key: without_timings(value) for key, value in facts.items() if key != "seconds"}
    return [without_timings(value) for value in facts] if isinstance(facts, list) else facts


def interrupted(run: Path) -> bool:
    """Return whether there is a run to be resumed: one that got as far as its manifest."""
    return (run / MANIFEST).is_file() and not RunDirectory(run).finished


def torture(program: str, folder: Path, *, kills: int, steps: int, seed: int) -> list[str]:
    """Kill and resume, and return what went wrong."""
    study, reference = small_study(folder, steps=steps), folder / "reference"
    began = time.perf_counter()
    if fit(program, study, reference, resume=False) != 0:
        return ["the uninterrupted fit failed"]
    life = time.perf_counter() - began
    print(f"uninterrupted: {life:.1f} s", flush=True)
    rng = np.random.default_rng(seed)
    wrong: list[str] = []
    killed = finished = 0
    while killed < kills or interrupted(folder / f"run{finished}"):
        run = folder / f"run{finished}"
        after = float(rng.uniform(0.0, life)) if killed < kills else None
        code = fit(program, study, run, resume=(run / MANIFEST).is_file(), killed_after=after)
        killed += code == -signal.SIGKILL
        if code == 0 or ((run / MANIFEST).is_file() and RunDirectory(run).finished):
            found = differences(run, reference)
            print(f"{killed} kills, run {finished + 1} finished: {'; '.join(found) or 'the same bits'}", flush=True)
            wrong += found
            finished += 1
        elif code != -signal.SIGKILL:
            return [*wrong, f"a resumed fit ended with {code} after {killed} kills"]
    print(f"{killed} kills, {finished} runs finished, {len(wrong)} differences")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=60, help="optimizer steps of the small fit")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--out", type=Path, help="new folder that is kept; default: a temporary one")
    parser.add_argument("--program", default=str(Path(sys.executable).parent / "profundus"))
    asked = parser.parse_args()
    if asked.out:
        asked.out.mkdir(parents=True)
        wrong = torture(asked.program, asked.out, kills=asked.kills, steps=asked.steps, seed=asked.seed)
    else:
        with tempfile.TemporaryDirectory() as folder:
            wrong = torture(asked.program, Path(folder), kills=asked.kills, steps=asked.steps, seed=asked.seed)
    raise SystemExit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
