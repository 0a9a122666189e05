"""The page of a comparison in a real browser: it draws, switches, fits a phone, and reaches nothing outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comparison_content import a_card, a_comparison, a_person, without_truth
from profundus.report import build_comparison
from report_content import MUSCLES
from test_report_browser import HOSTILE, browser, opened, pytestmark

__all__ = ["browser", "pytestmark"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    muscles = (*MUSCLES[:2], HOSTILE, *MUSCLES[3:])
    methods = ("nmm", "copy", HOSTILE)
    person = a_person(HOSTILE, muscles=muscles, methods=methods, samples=200)
    contents = {
        "two": a_comparison(),
        "blind": without_truth(a_comparison()),
        "hostile": a_comparison(
            subjects=(person,), methods=methods, deep=(HOSTILE, "BRA"), provenance={HOSTILE: HOSTILE},
            scorecard=a_card((HOSTILE,), deep=(HOSTILE, "BRA"), methods=methods), failures=((HOSTILE, HOSTILE, HOSTILE),),
        ),
        "hidden": replace(
            a_comparison(), hidden=("BRA",), deep=("BRA",),
            scorecard=a_card(("sub-01", "sub-02"), methods=("nmm", "copy", "own_pattern"), deep=("BRA",), hidden=True),
        ),
    }  # fmt: skip
    for name, content in contents.items():
        (folder / f"{name}.html").write_text(build_comparison(content), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in contents}


def plot(page, box, expression):
    return page.execute_script(f"const plot = document.getElementById('{box}'); return {expression};")


def change(page, box, value):
    page.execute_script(
        f"const s = document.getElementById('{box}'); s.value = '{value}'; s.dispatchEvent(new Event('change'))"
    )


@pytest.mark.parametrize("name", ["two", "blind", "hidden"])
def test_every_picture_is_drawn_or_says_why_not(browser, pages, name):
    page = opened(browser, pages[name])
    for box in ("forest", "cells", "maps", "envelopes", "moments", "levels"):
        drawn = plot(page, box, "plot.querySelectorAll('.subplot').length || plot.textContent.length")
        assert drawn > 0, box
    assert page.get_log("browser") == []


def test_the_error_of_each_method_stands_where_its_number_is(browser, pages):
    page = opened(browser, pages["two"])
    assert plot(page, "forest", "plot.data.filter(t => t.marker.symbol !== 'diamond-open').map(t => t.x[0])") == [
        0.5, 1.0, 2.0, 0.5, 1.0, 2.0,
    ]  # fmt: skip
    assert plot(page, "forest", "plot._fullLayout.xaxis.type") == "log"


def test_the_score_that_is_shown_as_color_can_be_chosen(browser, pages):
    page = opened(browser, pages["two"])
    assert plot(page, "cells", "plot.data[0].z[0][0]") == pytest.approx(0.05)
    change(page, "metric", "r")
    assert plot(page, "cells", "plot.data[0].z[0][0]") == pytest.approx(0.9)


def test_the_maps_show_the_truth_and_every_method_of_the_chosen_muscle(browser, pages):
    page = opened(browser, pages["two"])
    assert plot(page, "maps", "plot.data.map(t => t.z.length)") == [6] * 4
    before = plot(page, "maps", "plot.data[0].z[5][200]")
    change(page, "muscle", "1")
    person = a_comparison().subjects[1]
    heavy = next(trial for trial in person.trials if trial.load_kg == 4)
    after = plot(page, "maps", "plot.data[0].z[5][200]")
    assert after != before
    assert after == pytest.approx(heavy.truth[400, 5], abs=0.0003)


def test_another_method_person_and_trial_can_be_chosen(browser, pages):
    page = opened(browser, pages["two"])
    drawn = plot(page, "envelopes", "plot.data.length")
    page.execute_script("document.querySelector('[data-method=static_optimization]').click()")
    assert plot(page, "envelopes", "plot.data.length") == drawn - 3 * 6  # mean and two edges in six panels
    first = plot(page, "envelopes", "plot.data[0].y[100]")
    change(page, "turn", "1")
    assert plot(page, "envelopes", "plot.data[0].y[100]") != first
    change(page, "subject", "1")
    assert "load2_1" in plot(page, "named", "plot.textContent")


def test_the_moment_is_held_against_inverse_dynamics_with_its_r2(browser, pages):
    page = opened(browser, pages["two"])
    assert plot(page, "moments", "plot.data.filter(t => t.name === 'inverse dynamics').length") == 3
    assert "0.97" in plot(page, "explained", "plot.querySelector('tr.ours').textContent")


def test_names_that_are_html_do_not_run(browser, pages):
    page = opened(browser, pages["hostile"])
    assert page.execute_script("return window.owned") is None
    assert page.execute_script("return document.querySelectorAll('img, main a[href^=\"javascript\"]').length") == 0
    assert "<img src=x" in page.execute_script("return document.querySelector('.card').textContent")
    assert "<img src=x" in plot(page, "forest", "plot.textContent")
    assert page.get_log("browser") == []


def test_nothing_leaves_the_page(browser, pages):
    page = opened(browser, pages["two"])
    asked = [
        entry["message"] for entry in page.get_log("performance") if "Network.requestWillBeSent" in entry["message"]
    ]
    assert [message for message in asked if '"url":"http' in message] == []
    tried = page.execute_async_script(
        "fetch('https://example.org').then(() => arguments[0]('out'), () => arguments[0]('held back'))"
    )
    assert tried == "held back"


@pytest.mark.parametrize("name", ["two", "hostile", "hidden"])
def test_a_phone_needs_no_sideways_scrolling(browser, pages, name):
    page = opened(browser, pages[name], width=400)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 400
    for box in ("forest", "cells", "maps", "envelopes", "levels"):
        assert plot(page, box, "plot.getBoundingClientRect().right") <= 400


def test_every_choice_can_be_reached_by_keyboard(browser, pages):
    page = opened(browser, pages["two"])
    assert page.execute_script(
        "return [...document.querySelectorAll('select, input')].every(e => e.tabIndex === 0 && e.labels.length)"
    )
