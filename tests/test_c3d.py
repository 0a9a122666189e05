"""Analog channels of C3D files: scaled to volts, and never a crash or a hang, whatever the bytes."""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ezc3d
import numpy as np
import pytest

from profundus.errors import FileFormatError, MissingFileError, UnsafeInputError
from profundus.io.c3d import read_c3d_analog
from profundus.records import Table

EMG = np.random.default_rng(0).normal(size=(200, 2))


def written(folder: Path, *, labels=("Biceps", "Triceps"), units=("V", "V"), values=EMG, rate=1000.0) -> Path:
    """Return a C3D file with 20 frames at 100 Hz and no markers, written by ezc3d."""
    content = ezc3d.c3d()
    content.add_parameter("POINT", "RATE", [100.0])
    content.add_parameter("ANALOG", "RATE", [rate])
    content.add_parameter("ANALOG", "LABELS", list(labels))
    content.add_parameter("ANALOG", "UNITS", list(units))
    content["data"]["points"] = np.zeros((4, 0, 20))
    content["data"]["analogs"] = values.T[None]
    content.write(str(folder / "emg.c3d"))
    return folder / "emg.c3d"


def parameter(group: int, name: str, kind: int, shape: tuple[int, ...], data: bytes) -> bytes:
    """Return one parameter of a C3D file, as the format's manual lays it out."""
    body = struct.pack(f"<bB{len(shape)}B", kind, len(shape), *shape) + data + b"\0"
    return struct.pack("<bb", len(name), group) + name.encode() + struct.pack("<h", len(body) + 2) + body


def integer_c3d(raw: np.ndarray, *, scale: list[float], offset: list[int], general: float, unit: bytes) -> bytes:
    """Return a C3D file with integer samples (sample, channel) at 1000 Hz, ten in a frame, built byte by byte."""
    samples, channels = raw.shape
    frames = samples // 10
    sections = [
        struct.pack("<bb", 5, -1) + b"POINT" + struct.pack("<h", 3) + b"\0",
        struct.pack("<bb", 6, -2) + b"ANALOG" + struct.pack("<h", 3) + b"\0",
        parameter(1, "USED", 2, (), struct.pack("<h", 0)),
        parameter(1, "SCALE", 4, (), struct.pack("<f", 1.0)),
        parameter(1, "RATE", 4, (), struct.pack("<f", 100.0)),
        parameter(1, "DATA_START", 2, (), struct.pack("<h", 4)),
        parameter(1, "FRAMES", 2, (), struct.pack("<h", frames)),
        parameter(1, "LABELS", -1, (4, 0), b""),
        parameter(2, "USED", 2, (), struct.pack("<h", channels)),
        parameter(2, "LABELS", -1, (4, channels), b"".join(b"emg%d" % i for i in range(channels))),
        parameter(2, "UNITS", -1, (len(unit), channels), unit * channels),
        parameter(2, "GEN_SCALE", 4, (), struct.pack("<f", general)),
        parameter(2, "SCALE", 4, (channels,), struct.pack(f"<{channels}f", *scale)),
        parameter(2, "OFFSET", 2, (channels,), struct.pack(f"<{channels}h", *offset)),
        parameter(2, "RATE", 4, (), struct.pack("<f", 1000.0)),
    ]
    parameters = struct.pack("<BBBB", 1, 80, 2, 84) + b"".join(sections) + b"\0\0"
    head = struct.pack("<BBHHHHHfHHf", 2, 80, 0, 10 * channels, 1, frames, 0, 1.0, 4, 10, 100.0)
    assert len(parameters) <= 1024
    return head.ljust(512, b"\0") + parameters.ljust(1024, b"\0") + raw.astype("<i2").tobytes().ljust(512, b"\0")


def test_channels_come_in_volts_on_the_analog_clock(tmp_path):
    table = read_c3d_analog(written(tmp_path, units=("mV", "V")))
    assert table.labels == ("Biceps", "Triceps")
    assert table.problems == ()
    np.testing.assert_allclose(table.time, np.arange(200) / 1000, rtol=1e-12)
    np.testing.assert_allclose(table.values, EMG * [1e-3, 1.0], rtol=1e-6)


@pytest.mark.parametrize(("unit", "volts"), [(b"V ", 1.0), (b"mV", 1e-3), (b"uV", 1e-6), (b"\xb5V", 1e-6)])
def test_integer_samples_are_scaled_as_the_format_says(tmp_path, unit, volts):
    raw = np.arange(-60, 60).reshape(60, 2) * 100
    content = integer_c3d(raw, scale=[0.5, 0.25], offset=[7, 3], general=0.125, unit=unit)
    (tmp_path / "integer.c3d").write_bytes(content)
    table = read_c3d_analog(tmp_path / "integer.c3d")
    np.testing.assert_allclose(table.values, (raw - [7, 3]) * [0.5, 0.25] * 0.125 * volts, rtol=1e-12)


def test_a_negative_offset_moves_no_more_than_the_mean_and_is_reported(tmp_path):
    raw = np.arange(-60, 60).reshape(60, 2) * 100
    content = integer_c3d(raw, scale=[0.5, 0.5], offset=[7, -3], general=0.125, unit=b"mV")
    (tmp_path / "integer.c3d").write_bytes(content)
    table = read_c3d_analog(tmp_path / "integer.c3d")
    assert [problem.what.split("'")[1] for problem in table.problems] == ["emg1"]
    np.testing.assert_allclose(np.diff(table.values, axis=0), 200 * 0.5 * 0.125e-3, rtol=1e-9)


def test_a_unit_that_nobody_knows_is_refused_by_channel(tmp_path):
    path = written(tmp_path, units=("V", "furlong"))
    with pytest.raises(FileFormatError, match="'Triceps' is in 'furlong'"):
        read_c3d_analog(path)
    assert read_c3d_analog(path, channels=["Biceps"]).labels == ("Biceps",)


def test_force_plates_and_nameless_channels_are_left_out_and_said_to_be(tmp_path):
    values = np.column_stack([EMG, EMG])
    path = written(tmp_path, labels=("Fz1", "Biceps", "", ""), units=("N", "V", "V", "V"), values=values)
    table = read_c3d_analog(path)
    assert table.labels == ("Biceps",)
    np.testing.assert_allclose(table["Biceps"], EMG[:, 1], rtol=1e-6)
    assert sorted(problem.what.split(" ")[0] for problem in table.problems) == ["2", "channel"]
    with pytest.raises(FileFormatError, match="'Fz1' is in 'N'"):
        read_c3d_analog(path, channels=["Fz1"])


def test_channels_are_picked_by_label_in_the_order_asked_for(tmp_path):
    path = written(tmp_path)
    assert read_c3d_analog(path, channels=["Triceps", "Biceps"]).labels == ("Triceps", "Biceps")
    with pytest.raises(FileFormatError, match="no channel 'Brachialis'"):
        read_c3d_analog(path, channels=["Brachialis"])
    with pytest.raises(FileFormatError, match="2 times"):
        read_c3d_analog(written(tmp_path, labels=("Biceps", "Biceps")))


def test_a_file_that_was_cut_off_is_noticed_though_the_parser_shortens_it_in_silence(tmp_path):
    path = written(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:-600])
    assert ezc3d.c3d(str(path))["data"]["analogs"].shape[2] < 200
    with pytest.raises(FileFormatError, match="promises 20 frames"):
        read_c3d_analog(path)


def test_what_is_no_c3d_is_refused_without_parsing(tmp_path):
    path = tmp_path / "emg.c3d"
    for content in (b"", b"time,Biceps\n" * 100, bytes(1024)):
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match="is no C3D file"):
            read_c3d_analog(path, timeout_s=1e-9)
    os.truncate(path, 2 * 2**30)
    with pytest.raises(UnsafeInputError, match="bytes"):
        read_c3d_analog(path)
    with pytest.raises(MissingFileError, match="not there"):
        read_c3d_analog(tmp_path / "no.c3d")
    with pytest.raises(MissingFileError, match="folder"):
        read_c3d_analog(tmp_path)


def test_a_parser_that_hangs_is_ended(tmp_path):
    with pytest.raises(FileFormatError, match=r"longer than 0.001 s"):
        read_c3d_analog(written(tmp_path), timeout_s=0.001)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("kill -SEGV $$", r"ended by signal 11"),
        ("echo MemoryError >&2; exit 1", "more memory than its size explains"),
        ("exit 3", "ended with code 3"),
        ("yes x | head -c 10000000 >&2; exit 1", "cannot be parsed: 'x'"),
    ],
)
def test_however_the_parser_ends_it_is_the_file_that_is_named(tmp_path, monkeypatch, end, said):
    path = written(tmp_path)
    (tmp_path / "parser").write_text(f"#!/bin/sh\n{end}\n")
    (tmp_path / "parser").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "parser"))
    with pytest.raises(FileFormatError, match=rf"emg.c3d: .*{said}"):
        read_c3d_analog(path)


def test_modules_in_the_current_folder_are_not_run(tmp_path, monkeypatch):
    path = written(tmp_path)
    (tmp_path / "ezc3d.py").write_text("raise SystemExit('run from the current folder')")
    monkeypatch.chdir(tmp_path)
    assert read_c3d_analog(path).labels == ("Biceps", "Triceps")


def damaged(content: bytes, seed: int) -> bytes:
    """Return the file cut off, or with a few bytes of its head and parameters changed."""
    rng = np.random.default_rng(seed)
    changed = bytearray(content)
    if seed % 4 == 0:
        return content[: rng.integers(512, len(content))]
    reach = {1: 24, 2: 1536, 3: 1536}[seed % 4]
    for at in rng.integers(2, reach, seed % 4 + 1):
        changed[at] = 255 if seed % 4 == 3 else rng.integers(256)
    return bytes(changed)


def test_damaged_files_give_a_table_or_an_error_never_a_crash(tmp_path):
    content = written(tmp_path).read_bytes()

    def outcome(seed: int) -> str:
        path = tmp_path / f"damaged{seed}.c3d"
        path.write_bytes(damaged(content, seed))
        try:
            table = read_c3d_analog(path, timeout_s=20.0)
        except FileFormatError as error:
            return str(error)
        assert isinstance(table, Table)
        return "table"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, range(32)))
    assert "table" in outcomes
    assert len(set(outcomes)) > 5


def test_a_real_recording_agrees_with_its_export_as_text(reference):
    pandas = pytest.importorskip("pandas")
    table = read_c3d_analog(reference / "data/box_lifting/markers_analogs.c3d")
    assert table.values.shape == (11600, 38)
    text = pandas.read_csv(reference / "data/box_lifting/analogs_2000hz.csv.gz")
    np.testing.assert_allclose(table.time, text["time_s"], atol=1e-12)
    assert len(text.columns) == 20
    for column in text.columns[1:]:
        np.testing.assert_allclose(table[column.removesuffix("_V")], text[column], rtol=1e-6)
