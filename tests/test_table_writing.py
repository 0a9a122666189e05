"""Written tables come back bit for bit, here and in OpenSim; what could not be read back is not written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profundus.errors import InputError
from profundus.io.table_header import is_entry, is_numbers
from profundus.io.tables import read_table, write_table
from profundus.records import Table

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
# "version=" would be read as an entry, "7" as data: the writer refuses them
NAME = TEXT.filter(lambda text: not is_entry(text) and not is_numbers(text))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw) -> Table:
    labels = draw(st.lists(TEXT.filter(lambda text: text.casefold() != "time"), max_size=4, unique=True))
    moments = draw(st.lists(FINITE, min_size=1, max_size=5, unique=True))
    values = draw(st.lists(FINITE, min_size=len(labels) * len(moments), max_size=len(labels) * len(moments)))
    shape = (len(moments), len(labels))
    degrees = draw(st.sampled_from([True, False, None]))
    return Table(tuple(labels), np.array(sorted(moments)), np.reshape(values, shape), draw(NAME), degrees)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_every_finite_table_comes_back_bit_for_bit(tmp_path, table):
    write_table(table, tmp_path / "round.sto")
    again = read_table(tmp_path / "round.sto")
    assert (again.labels, again.name, again.in_degrees) == (table.labels, table.name, table.in_degrees)
    assert again.problems == ()
    assert again.time.tobytes() == table.time.tobytes()
    assert again.values.tobytes() == table.values.tobytes()


def test_missing_values_come_back_as_missing(tmp_path):
    table = Table(("BRA",), np.array([0.0, 1.0]), np.array([[np.nan], [1.0]]), "gap", False)
    write_table(table, tmp_path / "gap.sto")
    np.testing.assert_array_equal(read_table(tmp_path / "gap.sto").values, table.values)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (Table(("a b",), np.zeros(1), np.zeros((1, 1)), "n"), "white space"),
        (Table(("",), np.zeros(1), np.zeros((1, 1)), "n"), "empty"),
        (Table(("time",), np.zeros(1), np.zeros((1, 1)), "n"), "'time'"),
        (Table(("a",), np.zeros(1), np.zeros((1, 1)), "VERSION="), "as a name"),
        (Table(("a",), np.zeros(1), np.zeros((1, 1)), "1.5"), "TimeSeriesTable takes for data"),
        (Table(("a", "a"), np.zeros(1), np.zeros((1, 2)), "n"), "more than once"),
        (Table(("a",), np.zeros(1), np.full((1, 1), np.inf), "n"), "infinite"),
        (Table(("a",), np.zeros(2), np.zeros((2, 1)), "n"), "increasing"),
        (Table(("a",), np.zeros(0), np.zeros((0, 1)), "n"), "no rows"),
        (Table(("a",), np.zeros(1), np.zeros((1, 1)), "two\nlines"), "name"),
        (Table(("a",), np.zeros(1), np.zeros((1, 1)), "nRows=7"), "name"),
        (Table(("a",), np.zeros(1), np.zeros((1, 1)), "endheader"), "name"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, table, complaint):
    with pytest.raises(InputError, match=complaint):
        write_table(table, tmp_path / "no.sto")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore")
def test_what_is_written_loads_in_both_readers_of_opensim(tmp_path):
    opensim = pytest.importorskip("opensim")
    values = np.random.default_rng(3).normal(size=(7, 2))
    table = Table(("/forceset/BRA/activation", "r_elbow_flex"), np.arange(7) / 3, values, "curl", True)
    write_table(table, tmp_path / "curl.sto")
    interface = opensim.TimeSeriesTable(str(tmp_path / "curl.sto"))
    assert interface.getColumnLabels() == table.labels
    assert interface.getTableMetaDataString("inDegrees") == "yes"
    np.testing.assert_array_equal(interface.getMatrix().to_numpy(), values)
    np.testing.assert_array_equal(interface.getIndependentColumn(), table.time)
    storage = opensim.Storage(str(tmp_path / "curl.sto"))
    assert storage.isInDegrees()
    assert (storage.getSize(), storage.getColumnLabels().getSize()) == (7, 3)
    assert storage.getStateVector(6).getTime() == table.time[6]


def test_a_file_named_by_a_number_gets_a_name_that_opensim_reads(tmp_path):
    write_table(Table(("a",), np.zeros(1), np.zeros((1, 1)), "", False), tmp_path / "100.sto")
    assert read_table(tmp_path / "100.sto").name == "table 100"
