"""The figures of a paper: one file each as SVG and PDF, text as text, the same bytes every time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from comparison_content import a_card, a_comparison, a_person, without_load, without_truth
from profundus.records import Scorecard
from profundus.report import paper_figures

SMALL = {"samples": 201}
NAMES = {
    "heatmaps_TRImed", "heatmaps_BRA", "envelopes_by_load", "moments_by_method", "amplitude_plausibility", "paired_ratios",
}  # fmt: skip
POINTS = {85: 85 / 25.4 * 72, 175: 175 / 25.4 * 72}


def small(**options):
    return a_comparison(("sub-01",), subjects=(a_person(**SMALL),), **options)


@pytest.fixture(scope="module")
def figures():
    return paper_figures(small())


def text_of(svg: bytes) -> str:
    return " ".join(ET.fromstring(svg).itertext())


def test_every_figure_is_there_as_svg_and_pdf(figures):
    assert set(figures) == {f"{name}.{kind}" for name in NAMES for kind in ("svg", "pdf")}
    assert all(content.startswith(b"%PDF") for name, content in figures.items() if name.endswith("pdf"))


def test_the_width_is_that_of_two_columns(figures):
    for name in NAMES:
        width = float(re.search(rb'width="([\d.]+)pt"', figures[f"{name}.svg"])[1])
        assert width == pytest.approx(POINTS[175], abs=0.5)


def test_one_muscle_takes_one_column():
    found = paper_figures(replace(small(), deep=("BRA",)))
    width = float(re.search(rb'width="([\d.]+)pt"', found["paired_ratios.svg"])[1])
    assert width == pytest.approx(POINTS[85], abs=0.5)


def test_text_stays_text_and_fonts_are_embedded_whole(figures):
    assert "copy of the nearest muscle" in text_of(figures["paired_ratios.svg"])
    assert "Brachialis (BRA)" in text_of(figures["amplitude_plausibility.svg"])
    assert "inverse dynamics" in text_of(figures["moments_by_method.svg"])
    assert b"/FontFile2" in figures["paired_ratios.pdf"]
    assert b"/Type3" not in figures["paired_ratios.pdf"]


def test_the_same_content_gives_the_same_bytes(figures):
    assert paper_figures(small()) == figures


def test_no_figure_holds_a_date(figures):
    for content in figures.values():
        assert b"<dc:date>" not in content
        assert b"/CreationDate" not in content


def test_the_colors_are_those_of_the_page(figures):
    assert b"#0b5fa5" in figures["envelopes_by_load.svg"]
    assert b"#6b7378" in figures["envelopes_by_load.svg"]


def test_what_is_not_known_is_not_drawn():
    blind = without_truth(a_comparison(("sub-01",), deep=("BRA",), failures=()))
    unloaded = without_load(a_person(loads=(2.0,), methods=("copy",), truth=False, **SMALL))
    found = paper_figures(replace(blind, methods=("copy",), subjects=(unloaded,), scorecard=Scorecard(())))
    assert {name for name in found if name.endswith("svg")} == {"heatmaps_BRA.svg", "envelopes_by_load.svg"}
    assert "truth" not in text_of(found["envelopes_by_load.svg"])


def test_a_name_with_dollars_and_slashes_is_a_name():
    odd = "a$x^2$/../b"
    muscles = ("TRIlong", "TRIlat", odd, "BIClong", "BICshort", "BRA")
    person = a_person(muscles=muscles, **SMALL)
    content = a_comparison(subjects=(person,), deep=(odd,), scorecard=a_card(("sub-01",), deep=(odd,)))
    found = paper_figures(content)
    assert "heatmaps_a_x_2_b.svg" in found
    assert "a$x^2$" in text_of(found["paired_ratios.svg"])


def test_muscles_whose_names_are_alike_have_figures_of_their_own():
    muscles = ("TRIlong", "TRIlat", "a b", "BIClong", "BICshort", "a/b")
    person = a_person(muscles=muscles, methods=("copy",), loads=(2.0,), **SMALL)
    content = a_comparison(subjects=(person,), methods=("copy",), deep=("a b", "a/b"), scorecard=Scorecard(()))
    assert sum(name.startswith("heatmaps_") and name.endswith("svg") for name in paper_figures(content)) == 2
