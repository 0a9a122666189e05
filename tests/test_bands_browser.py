"""What decided an answer and whether bands hold, in a real browser: drawn, quiet, and fit for a phone."""

from __future__ import annotations

import pytest

from comparison_content import a_comparison
from profundus.report import build_comparison, build_page
from profundus.report.prior import PriorContent, build_prior
from report_content import a_page, met_with_a_prior
from test_prior_page import RECIPE, a_card
from test_report_browser import browser, opened, pytestmark

__all__ = ["browser", "pytestmark"]
OUTSIDE = """
  const box = document.querySelector(arguments[0]).getBoundingClientRect();
  return [...document.querySelectorAll(`${arguments[0]} svg, ${arguments[0]} .track, ${arguments[0]} p`)]
    .filter((e) => e.getBoundingClientRect().right > box.right + 1 || e.getBoundingClientRect().width < 4).length
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    two = tuple(met_with_a_prior(name, trials=2) for name in ("sub-01", "sub-02"))
    made = {
        "decided": build_page(a_page(("sub-01", "sub-02"), subjects=two)),
        "bands": build_comparison(a_comparison()),
        "prior": build_prior(PriorContent(a_card(), RECIPE, [2.0 / (1 + step) for step in range(500)])),
    }
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in made}


@pytest.mark.parametrize(("name", "box"), [("decided", "#decided"), ("bands", "#bands"), ("prior", "#bands")])
@pytest.mark.parametrize("width", [1280, 400])
def test_new_sections_are_drawn_inside_their_box_and_nothing_is_complained_about(browser, pages, name, box, width):
    page = opened(browser, pages[name], width=width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.execute_script(OUTSIDE, f"{box} > :not([hidden])" if name == "decided" else box) == 0
    assert page.get_log("browser") == []


def test_bars_are_as_wide_as_they_are_told_to_be(browser, pages):
    page = opened(browser, pages["decided"])
    found = page.execute_script("""
      const bars = document.querySelectorAll("#decided [data-subject='0'] .bar-row:not(.scale) .track");
      const wide = (e) => e.getBoundingClientRect().width;
      return [...bars].map((e) => [getComputedStyle(e, "::before").width, wide(e), e.style.getPropertyValue("--w")]);
    """)
    told = [float(words) for _, _, words in found]
    assert [100 * float(wide[:-2]) / whole for wide, whole, _ in found] == pytest.approx(told, abs=1)
    assert told[:4] == sorted(told[:4], reverse=True)


def test_choosing_a_person_changes_what_decided_his_answer(browser, pages):
    page = opened(browser, pages["decided"])
    page.execute_script(
        "const s = document.getElementById('subject'); s.value = '1'; s.dispatchEvent(new Event('change'))"
    )
    shown = "return [...document.querySelectorAll('#decided > [data-subject]')].map((e) => e.hidden)"
    assert page.execute_script(shown) == [True, False]
    assert "a learned prior answered" in page.execute_script("return document.getElementById('losses').textContent")
