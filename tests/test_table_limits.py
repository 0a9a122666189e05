"""OpenSim tables that are no tables: pipes, endless lines, other encodings, any bytes at all."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from profundus.errors import FileFormatError, InputError, MissingFileError, UnsafeInputError
from profundus.io.tables import read_table
from table_files import HEAD, LABELS, ROWS, VALUES, file_of, refusal


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path, reason in ((tmp_path / "no.sto", "not there"), (tmp_path, "folder"), ("a\0b.sto", "not there")):
        with pytest.raises(MissingFileError, match=reason):
            read_table(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.sto")
    with pytest.raises(MissingFileError, match="no regular file"):
        read_table(tmp_path / "pipe.sto")


def test_a_line_of_labels_without_end_is_refused_after_its_first_megabytes(tmp_path):
    path = file_of(tmp_path, HEAD + "time\tBRA")
    os.truncate(path, 2**30)  # a gigabyte of NUL without taking any room on the disk
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="NUL"):
        read_table(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**27
    assert "no line of labels" in str(refusal(tmp_path, HEAD + "time\t" + "x" * 9 * 2**20))


def test_more_labels_than_any_model_has_are_refused(tmp_path):
    assert "200001 labels" in str(refusal(tmp_path, HEAD + "time\t" + "\t".join(map(str, range(200_000))) + "\n0\n"))


def test_short_rows_below_many_labels_take_no_more_memory_than_the_file(tmp_path):
    labels = "\t".join(f"c{i}" for i in range(50_000))
    rows = "\t".join(["0"] * 50_001) + "\n" + "1\n" * 1_000_000  # as a full table: 400 GB
    error = refusal(tmp_path, f"x\nversion=1\nendheader\ntime\t{labels}\n{rows}")
    assert "1 values" in str(error)


def test_a_file_larger_than_any_table_is_refused_unread(tmp_path):
    path = file_of(tmp_path, HEAD + LABELS + ROWS)
    os.truncate(path, 3 * 2**30)
    with pytest.raises(UnsafeInputError, match="bytes"):
        read_table(path)


def test_binary_and_other_encodings_are_refused(tmp_path):
    assert "UTF-16" in str(refusal(tmp_path, (HEAD + LABELS + ROWS).encode("utf-16")))
    assert "NUL" in str(refusal(tmp_path, HEAD + LABELS + ROWS.replace("0.3", "0\0")))
    assert "endheader" in str(refusal(tmp_path, bytes(range(1, 256)) * 100))
    assert "not UTF-8" in str(refusal(tmp_path, (HEAD + "time\tm\u00fcskel\tb\n" + ROWS).encode("latin-1")))


def test_free_text_in_another_encoding_does_no_harm(tmp_path):
    text = HEAD.replace("endheader", "Winkel in \u00b0\nendheader") + LABELS + ROWS
    np.testing.assert_array_equal(read_table(file_of(tmp_path, text.encode("latin-1"))).values, VALUES)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=120).map(lambda junk: (HEAD + LABELS).encode() + junk)))
@example(b"endheader\ntime")
@example(b"\xef\xbb\xbfendheader\ntime\n0\n")
def test_whatever_the_bytes_there_is_a_table_or_an_input_error(tmp_path, content):
    path = file_of(tmp_path, content)
    try:
        table = read_table(path)
    except InputError:
        return
    assert np.isfinite(table.time).all()
    assert not np.isinf(table.values).any()


CELLS = st.sampled_from(["0", "1.5", "-2e-3", "nan", " 7 ", "", "abc", "1,5", "inf", "+.5", "3.", "1e", "-1.#IND"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=4), st.sampled_from(["\t", ",", " "]))
def test_a_defect_elsewhere_does_not_change_what_the_other_lines_say(tmp_path, rows, delimiter):
    """A trailing bad line forces the slow way: both ways must complain about the same lines."""

    def complaints(lines: list[str]) -> set[int | None]:
        try:
            read_table(file_of(tmp_path, "\n".join([head, *lines, ""])))
        except FileFormatError as error:
            return {problem.line for problem in error.problems}
        return set()

    head = "x\nversion=1\nendheader\n" + delimiter.join(["time", "a", "b"])
    lines = [delimiter.join([str(i), *row]) for i, row in enumerate(rows)]
    last = len(lines) + 5
    assert complaints(lines) == complaints([*lines, delimiter.join(["bad"] * 3)]) - {last}
