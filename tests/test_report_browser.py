"""The page in a real browser: it draws, links, switches, stays quiet, and reaches nothing outside."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from profundus.records import Flag
from profundus.report import build_page
from report_content import a_page, a_scorecard, a_subject

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium or its driver is not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-dev-shm-usage"
)
HOSTILE = (
    "<img src=x onerror=\"window.owned=1\"><script>window.owned=2</script><a href='javascript:window.owned=3'>x</a>"
)
PANELS = 6  # motion, moment, measured extensors, measured flexors, two deep muscles
TRACES = 1 + 2 + 4 + 4 + 2 * 5  # of each deep muscle: two edges of the band, copy, truth, mean


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*QUIET.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    two = tuple(a_subject(name, trials=12) for name in ("sub-01", "sub-02"))
    muscles = ("TRIlong", "TRIlat", HOSTILE, "BIClong", "BICshort", "BRA")
    hostile = a_subject(HOSTILE, trials=2, muscles=muscles, prefix=HOSTILE, samples=100)
    hostile = replace(hostile, training=tuple(replace(c, terms={HOSTILE: c.terms["emg"]}) for c in hostile.training))
    contents = {
        "two": a_page(("sub-01", "sub-02"), subjects=two),
        "hostile": a_page(
            subjects=(hostile,),
            scorecard=a_scorecard((HOSTILE,), (HOSTILE, "BRA"), trials=2),
            flags=(Flag(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
            provenance={HOSTILE: HOSTILE},
        ),
    }
    for name, content in contents.items():
        (folder / f"{name}.html").write_text(build_page(content), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in contents}


def opened(browser, url, width=1280):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(url)
    return browser


def plot(browser, expression):
    return browser.execute_script(f"const plot = document.getElementById('plot'); return {expression};")


def test_every_panel_is_drawn_and_nothing_is_complained_about(browser, pages):
    page = opened(browser, pages["two"])
    assert plot(page, "plot.data.length") == TRACES
    assert plot(page, "plot.querySelectorAll('.subplot').length") == PANELS
    assert plot(page, "document.querySelectorAll('.strip path').length") == 12 * 2 * 2
    assert plot(page, "document.getElementById('losses').data.length") == 5 * 5
    assert page.get_log("browser") == []


def test_the_curves_are_the_numbers_that_were_handed_over(browser, pages):
    page = opened(browser, pages["two"])
    name = plot(page, "document.getElementById('trial').selectedOptions[0].textContent")
    answer = next(a for a in a_subject("sub-01", trials=12).reconstruction.trials if a.trial.name == name)
    drawn = plot(page, "plot.data.find(trace => trace.name === 'BRA model').y")
    assert drawn == pytest.approx(answer.excitation[:, 5], abs=0.0003)
    assert plot(page, "plot.data[0].x[plot.data[0].x.length - 1]") == pytest.approx(8.0)


def test_a_test_trial_is_shown_first_and_another_can_be_chosen(browser, pages):
    page = opened(browser, pages["two"])
    assert "test trial" in plot(page, "document.getElementById('which').textContent")
    before = plot(page, "plot.data[0].y[100]")
    page.execute_script("document.querySelectorAll('.strip')[0].click()")
    assert "fitted trial" in plot(page, "document.getElementById('which').textContent")
    assert plot(page, "plot.data[0].y[100]") != before
    page.execute_script("document.getElementById('next').click()")
    assert plot(page, "document.querySelectorAll('.strip[aria-pressed=true]').length") == 1


def test_zoom_is_linked_over_all_panels(browser, pages):
    page = opened(browser, pages["two"])
    assert plot(page, "new Set(plot.data.map(trace => trace.xaxis)).size") == 1
    page.execute_script("Plotly.relayout('plot', {'xaxis.range': [2, 3]})")
    ranges = plot(page, "Object.values(plot._fullLayout._plots).map(panel => panel.xaxis.range)")
    assert ranges == [[2, 3]] * PANELS


def test_choosing_a_subject_changes_verdict_tables_and_curves(browser, pages):
    page = opened(browser, pages["two"])
    page.execute_script(
        "const s = document.getElementById('subject'); s.value = '1'; s.dispatchEvent(new Event('change'))"
    )
    shown = plot(
        page, "[...document.querySelectorAll('[data-subject]')].filter(e => !e.hidden).map(e => e.dataset.subject)"
    )
    assert set(shown) == {"1"}
    assert plot(page, "plot.data.length") == TRACES


def test_another_method_can_be_hidden(browser, pages):
    page = opened(browser, pages["two"])
    page.execute_script("document.querySelector('#key input').click()")
    assert plot(page, "plot.data.length") == TRACES - 2


def test_names_that_are_html_do_not_run(browser, pages):
    page = opened(browser, pages["hostile"])
    assert page.execute_script("return window.owned") is None
    assert page.execute_script("return document.querySelectorAll('img, main a[href^=\"javascript\"]').length") == 0
    assert "<img src=x" in page.execute_script("return document.querySelector('.card:nth-child(2)').textContent")
    titles = page.execute_script(
        "return [...document.querySelectorAll('#plot .annotation-text')].map(e => e.textContent)"
    )
    assert any("<img src=x" in title for title in titles)
    assert page.get_log("browser") == []


def test_nothing_leaves_the_page(browser, pages):
    page = opened(browser, pages["two"])
    page.execute_script("document.querySelectorAll('.strip')[3].click()")
    asked = [
        entry["message"] for entry in page.get_log("performance") if "Network.requestWillBeSent" in entry["message"]
    ]
    assert [message for message in asked if '"url":"http' in message] == []
    tried = page.execute_async_script(
        "fetch('https://example.org').then(() => arguments[0]('out'), () => arguments[0]('held back'))"
    )
    assert tried == "held back"
    assert any("Content Security Policy" in entry["message"] for entry in page.get_log("browser"))


@pytest.mark.parametrize("name", ["two", "hostile"])
def test_a_phone_needs_no_sideways_scrolling(browser, pages, name):
    page = opened(browser, pages[name], width=400)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 400
    assert plot(page, "plot.getBoundingClientRect().right") <= 400
