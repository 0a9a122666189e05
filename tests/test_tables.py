"""OpenSim tables: what is read, and what is refused and where."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from profundus.errors import FileFormatError
from profundus.io.tables import read_table, write_table
from profundus.records import Table
from table_files import HEAD, LABELS, ROWS, VALUES, file_of, refusal


def warnings_of(table: Table) -> str:
    return "\n".join(str(problem) for problem in table.problems if problem.severity == "warning")


def test_a_sound_table_is_read_without_a_word(tmp_path):
    table = read_table(file_of(tmp_path, HEAD + LABELS + ROWS))
    assert table.labels == ("BRA", "TRImed")
    assert (table.name, table.in_degrees, table.problems) == ("curl", False, ())
    np.testing.assert_array_equal(table.values, VALUES)
    np.testing.assert_array_equal(table.time, [0, 0.01, 0.02])
    assert not table.values.flags.writeable


# --- headers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["nRows=2", "nr=250", "datarows 4", "nRows\t1"])
def test_a_wrong_row_count_is_a_warning_and_every_row_is_read(tmp_path, claim):
    table = read_table(file_of(tmp_path, HEAD.replace("nRows=3", claim) + LABELS + ROWS))
    np.testing.assert_array_equal(table.values, VALUES)
    assert "there are 3" in warnings_of(table)
    assert table.problems[0].line == 3


@pytest.mark.parametrize("claim", ["nColumns=2", "nc=4", "datacolumns 4"])
def test_a_wrong_column_count_is_a_warning_and_the_labels_are_trusted(tmp_path, claim):
    table = read_table(file_of(tmp_path, HEAD.replace("nColumns=3", claim) + LABELS + ROWS))
    np.testing.assert_array_equal(table.values, VALUES)
    assert "there are 3" in warnings_of(table)
    assert table.problems[0].line == 4


def test_a_row_count_beyond_a_missing_line_end_hints_at_a_file_cut_off(tmp_path):
    table = read_table(file_of(tmp_path, HEAD.replace("nRows=3", "nRows=9") + LABELS + ROWS.rstrip()))
    assert "may have been cut off" in warnings_of(table)


@pytest.mark.parametrize("word", ["true", "false", "1", "", "ja"])
def test_degrees_are_yes_or_no_and_nothing_else(tmp_path, word):
    error = refusal(tmp_path, HEAD.replace("=no", f"={word}") + LABELS + ROWS)
    assert error.problems[0].line == 5
    assert "write yes or no" in str(error)


@pytest.mark.parametrize(("word", "meaning"), [("yes", True), ("YES", True), ("No", False)])
@pytest.mark.parametrize("delimiter", ["=", " = ", " ", "\t"])
def test_degrees_are_read_whatever_delimits_key_and_value(tmp_path, word, meaning, delimiter):
    assert read_table(file_of(tmp_path, HEAD.replace("=no", delimiter + word) + LABELS + ROWS)).in_degrees is meaning


def test_degrees_said_twice_and_differently_are_refused(tmp_path):
    assert "twice" in str(refusal(tmp_path, HEAD.replace("endheader", "inDegrees=yes\nendheader") + LABELS + ROWS))


@pytest.mark.parametrize(("suffix", "degrees"), [(".mot", True), (".sto", False), (".MOT", True), (".txt", None)])
def test_an_old_header_without_degrees_is_inferred_from_the_suffix_with_a_warning(tmp_path, suffix, degrees):
    table = read_table(file_of(tmp_path, "old\nnRows=3\nnColumns=3\nendheader\n" + LABELS + ROWS, "a" + suffix))
    assert table.in_degrees is degrees
    assert "inDegrees" in warnings_of(table)


def test_inferred_degrees_are_doubted_where_the_range_speaks_against_them(tmp_path):
    head = "old\nendheader\ntime\telbow\n"
    assert "largest value is 1.5" in warnings_of(read_table(file_of(tmp_path, head + "0\t1.5\n1\t-1\n", "a.mot")))
    assert "largest value is 90" in warnings_of(read_table(file_of(tmp_path, head + "0\t1.5\n1\t-90\n", "a.sto")))
    assert "largest" not in warnings_of(read_table(file_of(tmp_path, head + "0\t90\n1\t-1\n", "a.mot")))


def test_a_header_with_version_that_is_silent_on_degrees_leaves_them_open(tmp_path):
    head = "DataType=double\nversion=3\nOpenSimVersion=4.4\nendheader\n"
    assert read_table(file_of(tmp_path, head + LABELS + ROWS, "a.mot")).in_degrees is None


def test_a_header_in_the_old_motion_format_with_free_text_is_read(tmp_path):
    head = (
        "inverse kinematics\nnRows=3\nnColumns=3\n\n# SIMM Motion File Header:\nname inverse kinematics\ndatacolumns 3\n"
        "datarows 3\notherdata 1\nrange 0.0 1.0\nversion of the lab: spring\nAngles are in degrees.\nendheader\n"
    )
    table = read_table(file_of(tmp_path, head + LABELS + ROWS, "a.mot"))
    assert table.name == "inverse kinematics"
    assert table.in_degrees is True
    assert "there are" not in warnings_of(table)


def test_vectors_are_refused_by_the_name_of_their_type(tmp_path):
    head = "DataType=Vec3\nversion=3\nendheader\n"
    assert "DataType=double" in str(refusal(tmp_path, head + "time\tmarker\n0\t1,2,3\n"))


@pytest.mark.parametrize("claim", ["nRows=1000000000", "nColumns=1000000000", "nColumns=999999999999999999"])
def test_a_header_that_claims_a_billion_is_refused_without_believing_it(tmp_path, claim):
    tracemalloc.start()
    error = refusal(tmp_path, HEAD.replace("endheader", claim + "\nendheader") + LABELS + ROWS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert claim in str(error)
    assert peak < 2**24


# --- cells ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["nan", "NaN", "-nan", "-1.#IND", "1.#QNAN", "-1.#QNAN", "  nan"])
def test_missing_values_stay_nan_are_counted_and_reported(tmp_path, word):
    table = read_table(file_of(tmp_path, HEAD + LABELS + ROWS.replace("0.4", word)))
    np.testing.assert_array_equal(np.isnan(table.values), [[False, False], [False, True], [False, False]])
    assert "1 values are nan, in 'TRImed'" in warnings_of(table)
    assert table.problems[0].line == 9


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("abc", "'abc'"),
        ("1.1D+01", "Fortran"),
        ("-", "finite number"),
        ("NA", "finite number"),
        ("1_0", "finite number"),
        ("0x10", "finite number"),
        ("True", "finite number"),
        ('"0.4"', "finite number"),
        ("1.5.2", "finite number"),
        ("inf", "nan where a value is missing"),
        ("-1.#INF", "nan where a value is missing"),
        ("1e999", "larger than a double"),
        ("", "empty"),
        ("\u0661", "finite number"),
    ],
)
@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_cell_that_is_no_number_is_an_error_with_line_and_column(tmp_path, cell, hint, delimiter):
    text = (LABELS + ROWS.replace("\t0.3\t", f"\t{cell}\t")).replace("\t", delimiter)
    error = refusal(tmp_path, HEAD + text)
    assert error.problems[0].line == 9
    assert "'BRA'" in str(error)
    assert hint in str(error)


def test_decimal_commas_are_recognized(tmp_path):
    error = refusal(tmp_path, HEAD + LABELS + ROWS.replace("0.3", "1,5"))
    assert (error.problems[0].line, len(error.problems)) == (9, 1)
    assert "decimal comma" in str(error)
    everywhere = refusal(tmp_path, HEAD + LABELS + ROWS.replace(".", ","))
    assert [problem.line for problem in everywhere.problems] == [8]
    assert "more cells" in str(everywhere)
    assert "decimal comma" in str(refusal(tmp_path, HEAD + "time,BRA,TRImed\n0,1,0,2,0,3\n"))


def test_every_defect_is_listed_at_once(tmp_path):
    text = HEAD.replace("=no", "=true") + LABELS + ROWS.replace("0.3", "x").replace("0.6", "y")
    assert [problem.line for problem in refusal(tmp_path, text).problems] == [5, 9, 10]


def test_of_very_many_defects_fifty_are_listed_and_the_others_counted(tmp_path):
    rows = "".join(f"{i}\tx\ty\n" for i in range(100))
    error = refusal(tmp_path, HEAD + LABELS + rows)
    assert len(error.problems) == 51
    assert "and 150 more" in str(error.problems[-1])


def test_messages_carry_nothing_that_could_steer_a_terminal(tmp_path):
    error = refusal(tmp_path, HEAD + LABELS + ROWS.replace("0.3", "\x1b[31m" + "z" * 500))
    assert "\x1b" not in str(error)
    assert len(str(error)) < 400


# --- layout --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\t", "  "),
        lambda text: text.replace("\t", "\t     "),
        lambda text: text.replace("\t", "   \t"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\t\n"),
        lambda text: text.replace("\n", "  \n"),
        lambda text: text.replace("time", "Time"),
        lambda text: text.replace("time", "  TIME"),
        lambda text: text.replace("\n0.", "\n   0."),
        lambda text: text.replace("\n0.", "\n\t0."),
        lambda text: text.removesuffix("\n"),
        lambda text: text + "\n\n",
        lambda text: text.replace("endheader", " EndHeader "),
        lambda text: text.replace("0.01\t0.3\t0.4", "0.01 0.3   0.4"),
    ],
)
def test_other_spacing_line_ends_and_spellings_read_the_same(tmp_path, change):
    table = read_table(file_of(tmp_path, change(HEAD + LABELS + ROWS)))
    assert table.labels == ("BRA", "TRImed")
    assert table.name == "curl"
    assert warnings_of(table) == ""
    np.testing.assert_array_equal(table.values, VALUES)


def test_a_comma_separated_table_with_padded_header_is_read_with_a_note(tmp_path):
    head = "".join(line + ",,\n" for line in HEAD.splitlines())
    table = read_table(file_of(tmp_path, head + (LABELS + ROWS).replace("\t", ", ")))
    assert table.name == "curl"
    assert [problem.severity for problem in table.problems] == ["note"]
    np.testing.assert_array_equal(table.values, VALUES)


def test_blank_lines_among_the_data_are_passed_over_with_a_warning(tmp_path):
    table = read_table(file_of(tmp_path, HEAD + LABELS + ROWS.replace("0.01", "\n  \n0.01")))
    np.testing.assert_array_equal(table.values, VALUES)
    assert [problem.line for problem in table.problems] == [9, 10]


@pytest.mark.parametrize("cut", [1, 4, 8])
def test_a_file_cut_off_in_mid_line_is_refused_with_that_line(tmp_path, cut):
    error = refusal(tmp_path, (HEAD + LABELS + ROWS)[: -4 - cut])
    assert error.problems[0].line == 10
    assert "cut off" in str(error)


@pytest.mark.parametrize("row", ["0.01\t0.3", "0.01\t0.3\t0.4\t0.5", "0.01", "0.01\t\t0.3\t0.4"])
def test_a_line_with_too_few_or_too_many_values_is_refused(tmp_path, row):
    error = refusal(tmp_path, HEAD + LABELS + ROWS.replace("0.01\t0.3\t0.4", row))
    assert error.problems[0].line == 9


def test_a_file_without_endheader_or_labels_or_rows_is_refused(tmp_path):
    assert "endheader" in str(refusal(tmp_path, HEAD.replace("endheader\n", "") + LABELS + ROWS))
    assert "labels" in str(refusal(tmp_path, HEAD))
    assert "no rows" in str(refusal(tmp_path, HEAD + LABELS))
    assert "empty" in str(refusal(tmp_path, ""))
    assert "empty" in str(refusal(tmp_path, "\n \n"))


def test_labels_must_be_named_once_and_begin_with_time(tmp_path):
    error = refusal(tmp_path, HEAD + "time\tBRA\tBRA\n" + ROWS)
    assert "'BRA' stands 2 times" in str(error)
    assert error.problems[0].line == 7
    assert "'frame'" in str(refusal(tmp_path, HEAD + "frame\tBRA\tTRImed\n" + ROWS))
    assert "column 2 is empty" in str(refusal(tmp_path, HEAD + "time\t\tTRImed\n" + ROWS))
    assert "2 times" in str(refusal(tmp_path, HEAD + "time\tTRImed\ttime\n" + ROWS))


# --- time ----------------------------------------------------------------------------------------------------------------

TWICE = "0\t0.1\t0.2\n0.01\t0.3\t0.4\n0.01\t0.5\t0.6\n0.02\t0.7\t0.8\n"


def test_time_that_stands_still_is_an_error(tmp_path):
    error = refusal(tmp_path, HEAD + LABELS + TWICE)
    assert error.problems[0].line == 10
    assert 'duplicates = "last"' in str(error)


def test_the_last_of_duplicate_rows_is_kept_on_request_and_reported(tmp_path):
    table = read_table(file_of(tmp_path, HEAD + LABELS + TWICE), duplicates="last")
    np.testing.assert_array_equal(table.time, [0, 0.01, 0.02])
    np.testing.assert_array_equal(table["BRA"], [0.1, 0.5, 0.7])
    assert "stands here again" in warnings_of(table)


@pytest.mark.parametrize("duplicates", ["error", "last"])
def test_time_that_runs_backward_is_an_error(tmp_path, duplicates):
    path = file_of(tmp_path, HEAD + LABELS + ROWS.replace("0.02", "0.005"))
    with pytest.raises(FileFormatError, match=r"table.sto:10: time goes back from 0.01 to 0.005 s"):
        read_table(path, duplicates=duplicates)


@pytest.mark.parametrize("word", ["nan", "inf", "1e999"])
def test_time_that_is_not_finite_is_an_error(tmp_path, word):
    assert refusal(tmp_path, HEAD + LABELS + ROWS.replace("0.02", word)).problems[0].line == 10


# --- real files and speed ------------------------------------------------------------------------------------------------


def test_real_files_are_read_whole(reference):
    lifting = read_table(reference / "data/box_lifting/inverse_kin.mot")
    assert lifting.values.shape == (88, 25)
    assert lifting.in_degrees is True
    assert "nRows=250" in warnings_of(lifting)
    assert lifting["thorax_tilt"][0] == -27.90807185
    walking = read_table(reference / "data/gait_treadmill/data/walk36/emgFilt.sto")
    assert walking.labels[:2] == ("soleus_r", "med_gas_r")
    assert walking.values.shape == (6097, 9)
    assert walking["soleus_r"][0] == 0.070021
    lengths = read_table(reference / "data/gait_cycles/MAData/speed1_gait_1/speed1_gait_1_Length.sto")
    assert lengths.in_degrees is None
    assert lengths.problems == ()


def test_a_clean_table_is_read_in_one_pass(tmp_path, monkeypatch):
    monkeypatch.setattr("profundus.io.table_body._line_by_line", None)  # the slow way is for finding defects
    values = np.random.default_rng(0).normal(size=(1700, 99))
    table = Table(tuple(f"m{i}" for i in range(99)), np.arange(1700) * 0.01, values, "big", False)
    write_table(table, tmp_path / "big.sto")
    np.testing.assert_array_equal(read_table(tmp_path / "big.sto").values, values)
