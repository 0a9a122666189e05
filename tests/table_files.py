"""A small OpenSim table that is sound, to be spoiled, and what is said of one that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from profundus.errors import FileFormatError, InputError
from profundus.io.tables import read_table

HEAD = "curl\nversion=1\nnRows=3\nnColumns=3\ninDegrees=no\nendheader\n"
LABELS = "time\tBRA\tTRImed\n"
ROWS = "0\t0.1\t0.2\n0.01\t0.3\t0.4\n0.02\t0.5\t0.6\n"
VALUES = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])


def file_of(folder: Path, content: str | bytes, name: str = "table.sto") -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def refusal(folder: Path, content: str | bytes, name: str = "table.sto", kind: type[InputError] = FileFormatError):
    with pytest.raises(kind) as caught:
        read_table(file_of(folder, content, name))
    assert all(problem.file.endswith(name) for problem in caught.value.problems)
    return caught.value
