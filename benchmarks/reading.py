"""How fast an OpenSim table is read: ``python benchmarks/reading.py``.

The same .sto files by this package, by OpenSim (TimeSeriesTable and Storage) and by pandas, in turn: one of 100,000 rows of 20 columns, and
a trial of 10 MB. Values are compared; pandas checks nothing of what a table can have wrong.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Contestant, Facts, MissingNeedError, in_turn, need, parser, rounded, row, run, save, serve
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SIZES = {"100,000 rows of 20 columns": (100_000, 20), "a trial of 10 MB": (8_000, 64)}
PROBES = 4  # columns whose sums, and so whose values, are compared


def ours() -> Callable[[str], Floats]:
    from profundus.io.tables import read_table

    def read(path: str) -> Floats:
        table = read_table(path)
        return np.column_stack([table.time, table.values])

    return read


def pandas_reader() -> Callable[[str], Floats]:
    import pandas as pd

    return lambda path: pd.read_csv(path, sep="\t", skiprows=6).to_numpy()


def opensim_table() -> Any:
    import opensim

    opensim.Logger.setLevelString("Error")
    return opensim.TimeSeriesTable


def opensim_storage() -> Any:
    import opensim

    opensim.Logger.setLevelString("Error")
    return opensim.Storage


READERS = {
    "profundus": ours,
    "OpenSim TimeSeriesTable": opensim_table,
    "OpenSim Storage": opensim_storage,
    "pandas read_csv": pandas_reader,
}


def as_numbers(found: Any) -> Floats:
    """Return time and values (row, column) of what a reader answered."""
    if isinstance(found, np.ndarray):
        return found
    if hasattr(found, "getMatrix"):
        return np.column_stack([found.getIndependentColumn(), found.getMatrix().to_numpy()])
    import opensim

    columns = []
    for index in range(-1, found.getColumnLabels().getSize() - 1):
        column = opensim.ArrayDouble()
        found.getTimeColumn(column) if index < 0 else found.getDataColumn(index, column)
        columns.append([column.get(i) for i in range(column.getSize())])
    return np.array(columns).T


def write(path: Path, rows: int, columns: int) -> Floats:
    """Write a table of random numbers, and return them with their time (row, column)."""
    from profundus.io.tables import write_table
    from profundus.records import Table

    values = np.random.default_rng(0).normal(size=(rows, columns))
    time = np.arange(rows) / 1000.0
    write_table(Table(tuple(f"c{i}" for i in range(columns)), time, values, in_degrees=False), path)
    return np.column_stack([time, values])


def served(name: str) -> None:
    import time

    read = READERS[name]()
    known: dict[str, float] = {}

    def turn(path: str, truth: str) -> Facts:
        began = time.perf_counter()
        found = read(path)
        seconds = time.perf_counter() - began
        if path not in known:  # every reader reads the same file each time
            known[path] = float(np.abs(as_numbers(found) - np.load(truth)).max())
        return {"seconds": seconds, "off": known[path]}

    serve(turn)


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    if asked.serve:
        served(asked.serve)
        return
    names = ["profundus", "pandas read_csv"]
    try:
        need("opensim")
        names[1:1] = ["OpenSim TimeSeriesTable", "OpenSim Storage"]
    except MissingNeedError as missing:
        print(f"without OpenSim's readers: this machine does not have {missing}", file=sys.stderr)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for what, (samples, columns) in SIZES.items():
            path, truth = Path(folder) / f"rows_{samples}.sto", Path(folder) / f"rows_{samples}.npy"
            np.save(truth, write(path, samples, columns))
            megabytes = path.stat().st_size / 1e6
            readers = [Contestant(__file__, name) for name in names]
            found = in_turn(readers, asked.rounds, path=str(path), truth=str(truth))
            for reader in readers:
                reader.__exit__()
            for rival in found[1:]:
                off = max(found[0].facts["off"], rival.facts["off"])
                same = "the same values, bit for bit" if off == 0 else f"values within {rounded(off, 2):g}"
                rows.append(row(f"{what} ({megabytes:.0f} MB)", found[0], rival, agreement=same))
    save("reading", "Reading an OpenSim table", rows, asked)


if __name__ == "__main__":
    run(main)
