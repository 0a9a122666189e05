"""How fast virtual people come: ``python benchmarks/simulation_speed.py [--people 40] [--processes 2]``.

Trials of 8 s at 100 Hz, six muscles, 18 a person. Every process draws its own share of one population; compilation is counted apart.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import PopulationSettings
from profundus.simulate import simulate_people

TENDONS = ("rigid", "compliant")
FORMS = [(tendon, emg) for tendon in TENDONS for emg in ("fast", "raw")]


def timed(tendon: str, emg: str, first: int, count: int) -> tuple[float, float, int]:
    """Return the seconds that compilation and the people took, and the number of their trials."""
    anatomy = read_anatomy("arm26")
    geometry = MusculoskeletalModel(anatomy).geometry
    settings = PopulationSettings(tendon=tendon, emg=emg)
    began = time.perf_counter()
    list(simulate_people(anatomy, geometry, settings, seed=0, count=6, first=10**6))
    compiled = time.perf_counter()
    trials = sum(
        len(person.trials) for person in simulate_people(anatomy, geometry, settings, seed=0, count=count, first=first)
    )
    return compiled - began, time.perf_counter() - compiled, trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    share = max(1, asked.people // asked.processes)
    print(f"{os.cpu_count()} cores, {asked.processes} processes, load {os.getloadavg()[0]:.1f}\n")
    print("| tendon | EMG | trials a minute | compilation s |\n|---|---|---:|---:|")
    for tendon, emg in FORMS:
        with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(timed, tendon, emg, i * share, share) for i in range(asked.processes)]
            done = [job.result() for job in jobs]
        per_minute = sum(60.0 * trials / seconds for _, seconds, trials in done)
        print(f"| {tendon} | {emg} | {per_minute:.0f} | {max(compiling for compiling, _, _ in done):.1f} |")


if __name__ == "__main__":
    main()
