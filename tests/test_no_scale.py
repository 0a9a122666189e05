"""Where envelopes are not normalized, amplitudes mean nothing: what is left after one factor leads, and the page says so."""

from dataclasses import replace

import pytest

from comparison_content import a_card, a_person
from profundus.cli.comparing import _line
from profundus.records import Scorecard
from profundus.report import ComparisonContent, build_comparison, score_table
from profundus.report.comparison_numbers import ranked, ratios
from profundus.report.comparison_tables import ceiling_block, score_block
from profundus.report.figures_scores import paired_ratios
from profundus.report.scale import NO_SCALE, leading_error
from profundus.report.sections import score_block as run_scores
from profundus.report.verdict import verdict
from profundus.report.words import escaped
from profundus.validate.paired import paired
from report_content import DEEP, GROUPS, a_page, a_subject

NAMES = ("sub-01", "sub-02", "sub-03")
LOUD = {"nmm": 4.0, "static_optimization": 0.5}  # ours errs in level, the other in time course


def a_scorecard():
    rows = []
    for row in a_card(NAMES, ratios=LOUD | {"copy": 1.0}).rows:
        of_time = {"nmm": 0.02, "copy": 0.04, "static_optimization": 0.08}[row.method]
        rows.append(replace(row, rmse_scaled=of_time) if row.quantity == "emg" else row)
    return Scorecard(tuple(rows))


def content(normalization="none", **changes):
    return ComparisonContent(
        "Comparison", "walk", ("nmm", "copy", "static_optimization"), tuple(a_person(name, samples=201) for name in NAMES),
        a_scorecard(), DEEP, GROUPS, provenance={"emg": {"normalization": normalization}}, **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("normalization", "error", "best"), [("none", "rmse_scaled", "nmm"), ("mvc", "rmse", "static_optimization")]
)
def test_who_is_best_is_decided_by_what_means_something(normalization, error, best):
    made = content(normalization)
    assert made.error == error
    assert ranked(made, "BRA")[0].method == best


def test_paired_ratio_is_that_of_the_time_course():
    (row,) = (row for row in ratios(content()) if (row.method, row.name) == ("nmm", "BRA"))
    assert row.ratio == pytest.approx(0.02 / 0.04)
    assert row.rmse_scaled == pytest.approx(0.02)


def test_the_page_says_that_amplitudes_mean_nothing():
    page = build_comparison(content())
    assert escaped(NO_SCALE) in page
    assert "each after one factor a muscle and person" in page
    assert "amplitude / truth</option>" not in page
    assert escaped(NO_SCALE) not in build_comparison(content("mvc"))


def test_tables_lead_with_the_error_after_one_factor_and_leave_levels_out():
    table = score_block(content())
    assert "RMSE after one factor" in table
    assert "nRMSE" not in table
    assert "Amplitude" not in table
    assert "RMSE after one factor" in ceiling_block(content(hidden=DEEP))


def test_the_terminal_says_the_same():
    (row,) = (row for row in paired(a_scorecard(), by="rmse_scaled") if (row.method, row.name) == ("nmm", "BRA"))
    line = _line(row, {}, "rmse_scaled")
    assert list(line) == ["method", "x copy", "5-95 %", "wins", "r", "RMSE after factor", "band holds"]
    assert (line["x copy"], line["RMSE after factor"]) == ("0.50", "0.0200")
    assert set(score_table(a_scorecard(), by="rmse_scaled")[0]) == {
        "subject", "muscle", "method", "trials", "r", "RMSE after factor", "coverage"
    }  # fmt: skip


def test_the_figure_says_what_it_shows():
    labels = [axes.get_xlabel() for axes in paired_ratios(content()).axes if axes.get_visible()]
    assert set(labels) == {"RMSE / RMSE of the copy\n(each after one factor)"}


def test_a_study_without_settings_is_taken_as_normalized():
    assert leading_error({}) == "rmse"


def test_a_run_is_told_by_the_time_course():
    page = a_page(subjects=(a_subject(trials=6, samples=201),), provenance={"emg": {"normalization": "none"}})
    (subject,) = page.subjects
    said = verdict(page, subject).text
    assert "after one factor: amplitudes mean nothing here" in said
    assert "Amplitude ×" not in said
    table = run_scores(page, subject)
    assert escaped(NO_SCALE) in table
    assert table.index("Time course") < table.index("nRMSE")
