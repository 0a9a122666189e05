"""Models in XML: the tree as the standard library builds it, and nothing that could exhaust the machine."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profundus.errors import FileFormatError, InputError, MissingFileError, UnsafeInputError
from profundus.io.xml import parse_xml

MODEL = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a model -->\n<OpenSimDocument Version="40000">\n'
    '  <Model name="arm &amp; hand"><credits>M\u00fcller &#176;</credits><ForceSet/>tail</Model>\n</OpenSimDocument>\n'
)


def file_of(folder: Path, content: str | bytes) -> Path:
    path = folder / "model.osim"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_the_tree_is_the_one_of_the_standard_library(tmp_path, encoding):
    content = MODEL.replace("UTF-8", encoding).encode(encoding)
    ours = parse_xml(file_of(tmp_path, content))
    assert ElementTree.tostring(ours) == ElementTree.tostring(ElementTree.fromstring(content))
    assert ours.findtext("Model/credits") == "M\u00fcller \u00b0"


def test_entities_that_multiply_are_refused_before_they_do(tmp_path):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<?xml version="1.0"?>\n<!DOCTYPE bomb [<!ENTITY e0 "ha">{entities}]>\n<bomb>&e11;</bomb>'
    with pytest.raises(UnsafeInputError, match=r"model.osim:2: there is a DOCTYPE \('bomb'\)"):
        parse_xml(file_of(tmp_path, bomb))


def test_entities_from_other_files_are_refused(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    text = '<!DOCTYPE a [<!ENTITY x SYSTEM "secret.txt">]><a>&x;</a>'
    with pytest.raises(UnsafeInputError, match="DOCTYPE"):
        parse_xml(file_of(tmp_path, text))
    with pytest.raises(FileFormatError, match="undefined entity"):
        parse_xml(file_of(tmp_path, "<a>&x;</a>"))


def test_two_hundred_levels_are_read_and_two_hundred_thousand_refused(tmp_path):
    assert parse_xml(file_of(tmp_path, "<a>" * 200 + "</a>" * 200)).tag == "a"
    for levels in (201, 200_000):
        with pytest.raises(UnsafeInputError, match="nested more than 200 deep"):
            parse_xml(file_of(tmp_path, "<a>" * levels + "</a>" * levels))


def test_too_many_elements_and_too_many_bytes_are_refused(tmp_path):
    with pytest.raises(UnsafeInputError, match="more than 500000 elements"):
        parse_xml(file_of(tmp_path, "<a>" + "<b/>" * 2_000_000 + "</a>"))
    with pytest.raises(UnsafeInputError, match="bytes"):
        parse_xml(file_of(tmp_path, "<a>" + " " * 20 * 2**20 + "</a>"))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("", ":1: "),
        ("plain text", ":1: "),
        ("<a>\n<b></a>", ":2: "),
        ("<a>", ":1: "),
        ("<a/><b/>", ":1: "),
        ("<a>\n\n\0</a>", ":3: "),
        (b"<a>\xff\xfe</a>", ":1: "),
        ('<?xml version="1.0" encoding="klingon"?><a/>', ""),
        ('<?xml version="1.0" encoding="gb18030"?><a/>', ""),
    ],
)
def test_what_is_not_well_formed_is_refused_with_its_line(tmp_path, content, place):
    with pytest.raises(FileFormatError, match=f"model.osim{place}"):
        parse_xml(file_of(tmp_path, content))


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="not there"):
        parse_xml(tmp_path / "no.osim")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=100), st.tuples(st.integers(0, 200), st.binary(max_size=4))))
def test_whatever_the_bytes_there_is_a_tree_or_an_input_error(tmp_path, change):
    if isinstance(change, bytes):
        content = change
    else:
        at, junk = change
        content = MODEL.encode()[:at] + junk + MODEL.encode()[at + len(junk) :]
    path = file_of(tmp_path, content)
    try:
        root = parse_xml(path)
    except InputError:
        return
    assert ElementTree.tostring(root) == ElementTree.tostring(ElementTree.fromstring(content))


def test_a_real_model_is_read(reference):
    paths = sorted((reference / "data/arm26_reference").rglob("*.osim"))
    if not paths:
        pytest.skip("the reference data hold no model of the arm")
    root = parse_xml(paths[0])
    assert root.tag == "OpenSimDocument"
    assert {"BRA", "TRImed"} <= {muscle.get("name") for muscle in root.iter("Thelen2003Muscle")}
