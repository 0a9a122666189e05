"""What a population teaches about people who share the work otherwise: ``python benchmarks/leave_one_strategy_out.py``.

Two tables in Markdown. First, family by family of control strategies: people who have only this one, asked by a regression that all
families taught and by one that all *others* taught, against the copy of the nearest muscle. Second: how much worse the copy and the
regression become where electrodes hear their neighbors and where the maximum of an envelope is wrong.
"""

import argparse
import sys
import time
from dataclasses import replace

from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.strategies import Laboratory, disturbed, leave_one_strategy_out
from profundus.validate.paired import PairedRow

MEASURED, DEEP = ("TRIlong", "TRIlat", "BIClong", "BICshort"), ("BRA", "TRImed")
FAULTS = {"crosstalk 0.1": {"crosstalk": 0.1}, "MVC error 0.2": {"mvc_error": 0.2}}


def numbers(held: PairedRow) -> str:
    return f"{held.ratio:.2f} ({held.lower:.2f} to {held.upper:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teachers", type=int, default=120, help="virtual people who teach a regression")
    parser.add_argument("--tested", type=int, default=30, help="people of every family who are asked about")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.perf_counter()

    def tell(done: str) -> None:
        print(f"{time.perf_counter() - began:6.0f} s  {done}", file=sys.stderr, flush=True)

    anatomy = read_anatomy("arm26")
    lab = Laboratory(anatomy, MusculoskeletalModel(anatomy), MEASURED, DEEP, seed=asked.seed)
    count = {"teachers": asked.teachers, "tested": asked.tested}
    print("| tested on | muscle | taught by | x copy (5 to 95 %) | wins | r | RMSE | 90 % band holds (least) |")
    print("|---|---|---|---:|---:|---:|---:|---:|")
    for row in leave_one_strategy_out(lab, **count, on_family=tell):
        one = row.held
        scores = (
            f"{one.wins} of {one.people} | {one.r:.2f} | {one.rmse:.3f} | {row.covered:.0%} ({row.covered_least:.0%})"
        )
        print(f"| `{row.family}` | {one.name} | {row.taught} | {numbers(one)} | {scores} |")
    faults = {name: replace(lab.settings, **changed) for name, changed in FAULTS.items()}
    print("\n| fault | method | muscle | x without it (5 to 95 %) | worse in | RMSE |\n|---|---|---|---:|---:|---:|")
    for row in disturbed(lab, faults, **count, on_fault=tell):
        one = row.held
        worse = f"{one.people - one.wins} of {one.people}"
        print(f"| {row.fault} | `{row.method}` | {one.name} | {numbers(one)} | {worse} | {one.rmse:.3f} |")
    tell("done")


if __name__ == "__main__":
    main()
