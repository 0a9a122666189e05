"""A table of numbers over time, as a motion, force or EMG file holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """Columns over time.

    ``time`` is (row,) in seconds, ``values`` is (row, column) in the file's own units, ``labels`` names the columns
    (time is not among them). ``in_degrees`` is what the header says of rotations: True, False, or None where it is silent.
    ``problems`` are the warnings and notes of the reader.
    """

    labels: tuple[str, ...]
    time: NDArray[np.float64]
    values: NDArray[np.float64]
    name: str = ""
    in_degrees: bool | None = None
    source: str = ""
    problems: tuple[Problem, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.time), len(self.labels)):
            raise InputError(
                Problem(
                    "error",
                    f"values of shape {self.values.shape} for {len(self.time)} times and {len(self.labels)} labels",
                    file=self.source,
                    expected="one row a time and one column a label",
                )
            )
        self.time.setflags(write=False)
        self.values.setflags(write=False)

    def __getitem__(self, label: str) -> NDArray[np.float64]:
        """Return one column (row,) by its label."""
        if label == "time":
            return self.time
        if label not in self.labels:
            raise InputError(
                Problem(
                    "error",
                    f"there is no column '{label}'",
                    file=self.source,
                    expected="one of " + ", ".join(self.labels[:40]),
                )
            )
        return self.values[:, self.labels.index(label)]

    def __contains__(self, label: object) -> bool:
        return label in self.labels

    def select(self, columns: dict[str, str]) -> Table:
        """Return the table with the columns ``{new label: label in this table}``, in that order."""
        values = (
            np.column_stack([self[label] for label in columns.values()]) if columns else np.empty((len(self.time), 0))
        )
        return Table(tuple(columns), self.time, values, self.name, self.in_degrees, self.source, self.problems)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a DataFrame with time [s] as its index."""
        import pandas as pd

        return pd.DataFrame(self.values, index=pd.Index(self.time, name="time"), columns=list(self.labels))
