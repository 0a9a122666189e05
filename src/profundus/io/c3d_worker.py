"""The process in which a C3D file is parsed: the parser may crash or run wild on a damaged file, and then only this process ends.

``python -m profundus.io.c3d_worker <file> <result.npz>``
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

_INTEL, _DEC, _MIPS = 84, 85, 86
_OVERHEAD_BYTES = 2**30
_BYTES_PER_FILE_BYTE = 32  # measured: 7, with everything the parser keeps


def limit_memory(file_bytes: int) -> None:
    """Let this process have no more memory and disk than a sound file of this size needs, where the platform can do that."""
    if sys.platform == "win32":
        return
    import resource

    most = _OVERHEAD_BYTES + _BYTES_PER_FILE_BYTE * file_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def promised_frames(path: Path) -> int:
    """Return how many frames the header promises, -1 where it cannot say (the field ends at 65535).

    Read here because ezc3d shortens a file that was cut off without a word.
    """
    with path.open("rb") as file:
        head = file.read(512)
        file.seek((head[0] - 1) * 512 + 3)
        processor = file.read(1)[0]
    if processor not in (_INTEL, _DEC, _MIPS):
        raise ValueError(f"the processor type is {processor}, expected 84, 85 or 86")
    first, last = struct.unpack_from(">HH" if processor == _MIPS else "<HH", head, 6)
    return -1 if last == 65535 else last - first + 1


def _text(text: str) -> str:
    """Return a string of the file; bytes that are no UTF-8 (they come as lone surrogates) are Latin-1, as in older files."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def analogs(path: Path) -> dict[str, Any]:
    """Return values (sample, channel) after scaling, labels, units, offsets, the sampling rate, frames found and frames promised."""
    import ezc3d
    import numpy as np

    content = ezc3d.c3d(str(path))
    parameters = content["parameters"]["ANALOG"]

    def texts(key: str) -> list[str]:
        names = [key, *sorted((k for k in parameters if k.startswith(key) and k[len(key) :].isdigit()), key=len)]
        return [_text(text) for name in names if name in parameters for text in parameters[name]["value"]]

    values = content["data"]["analogs"]
    return {
        "values": np.ascontiguousarray(values[0].T, dtype=np.float64),
        "labels": np.array(texts("LABELS"), dtype=np.str_),
        "units": np.array(texts("UNITS"), dtype=np.str_),
        "offsets": np.array(parameters["OFFSET"]["value"] if "OFFSET" in parameters else [], dtype=np.float64),
        "rate": np.float64(parameters["RATE"]["value"][0] if "RATE" in parameters else np.nan),
        "frames": np.int64(content["data"]["points"].shape[2]),
        "promised": np.int64(promised_frames(path)),
    }


def main(source: str, target: str) -> None:
    """Parse ``source`` and leave the result in ``target``; whatever goes wrong ends this process with a trace on stderr."""
    limit_memory(Path(source).stat().st_size)
    found = analogs(Path(source))
    import numpy as np

    np.savez(target, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
