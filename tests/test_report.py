"""The page says what the numbers say, no more; it is one file, small, and shows names as text."""

from __future__ import annotations

import re
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase
from string import digits as decimal_digits

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.records import Flag, Reconstruction, Scorecard, ScoreRow
from profundus.report import PageContent, SubjectContent, build_page, methods_paragraph, score_table, verdict
from profundus.report.palette import muscle_colors
from profundus.report.series import packed, packed_series
from profundus.report.words import percent, significant
from report_content import (
    DEEP,
    GROUPS,
    MUSCLES,
    a_moment,
    a_page,
    a_scorecard,
    a_subject,
    a_trial,
    an_answer,
    an_em,
)

SIX_MEGABYTES = 6_000_000
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{data}}</script>"


def said(*rows: ScoreRow, **options) -> str:
    page = a_page(scorecard=Scorecard(rows), **options)
    return verdict(page, page.subjects[0]).text.replace("\u202f", " ")


def unpacked(text: str, resolution: float) -> list[float]:
    """The decoder of JavaScript source maps (revision 3), written from its specification, and the sums of second differences."""
    digits = {
        character: place for place, character in enumerate(ascii_uppercase + ascii_lowercase + decimal_digits + "+/")
    }
    values, code, shift, before, last = [], 0, 0, 0, 0
    for character in text:
        if character == "~":
            values.append(np.nan)
            continue
        code |= (digits[character] & 31) << shift
        shift += 5
        if digits[character] & 32:
            continue
        before, last = last, 2 * last - before + (-(code >> 1) if code & 1 else code >> 1)
        values.append(last * resolution)
        code = shift = 0
    return values


# ---------- verdict ----------


def test_a_good_answer_is_told_with_its_numbers():
    text = said(a_moment(0.97), an_em(r=0.93, amplitude_ratio=1.05, coverage90=0.88), an_em("copy", rmse=0.04))
    assert "Moment explained on test trials: R² 0.97." in text
    assert "BRA r 0.93" in text
    assert "Follows known truth" in text
    assert "Amplitude ×1.05." in text
    assert "The 90 % band holds 88 %." in text
    assert "Error ×0.75 of the copy's: better than copying" in text


def test_without_truth_a_good_moment_proves_nothing():
    text = said(a_moment(0.99))
    assert "a good moment fit does not prove the deep envelopes" in text
    assert "No truth to compare with." in text
    assert "Follows" not in text


def test_a_muscle_without_truth_is_named_beside_one_with_truth():
    assert "No truth to compare with for TRImed." in said(a_moment(), an_em(name="BRA"))


def test_a_bad_moment_warns_of_reading_the_deep_envelopes():
    assert "Do not read the deep envelopes" in said(a_moment(0.31), an_em())
    assert "only partly explained" in said(a_moment(0.8), an_em())


def test_the_worst_coordinate_decides_about_the_moment():
    assert "Moment not explained on test trials: R² 0.20 to 0.97." in said(
        a_moment(0.97), replace(a_moment(0.2), name="wrist")
    )


def test_a_band_that_holds_too_little_is_called_too_narrow():
    assert "holds 41 %: too narrow" in said(a_moment(), an_em(coverage90=0.41))
    assert "holds 99 %: wider than needed" in said(a_moment(), an_em(coverage90=0.99))


def test_a_wrong_amplitude_leaves_the_time_course():
    assert "Amplitude ×1.80. Trust the time course more" in said(a_moment(), an_em(amplitude_ratio=1.8))
    assert "Trust" not in said(a_moment(), an_em(r=0.1, amplitude_ratio=1.8))


def test_an_answer_no_better_than_the_copy_is_told_so():
    assert "worse than copying" in said(a_moment(), an_em(rmse=0.05), an_em("copy", rmse=0.03))
    assert "no better than copying" in said(a_moment(), an_em(rmse=0.03), an_em("copy", rmse=0.03))


def test_an_answer_that_does_not_follow_the_truth_is_told_so():
    assert "Does not follow known truth" in said(a_moment(), an_em(r=-0.2))
    assert "r −0.20" in said(a_moment(), an_em(r=-0.2))


def test_a_hidden_muscle_is_compared_with_its_own_emg():
    assert "its own EMG, hidden on purpose" in said(a_moment(), an_em(hidden=True))


def test_fit_trials_are_never_called_test_trials():
    text = said(a_moment(role="fit"), replace(an_em(), role="fit"))
    assert "the very trials it was fitted to" in text
    assert "on test trials" not in text


def test_nothing_scored_is_told_so():
    assert "The moment was not scored" in said()


def test_a_muscle_that_only_the_prior_speaks_about_is_a_caution():
    flag = Flag("prior_only", "sub-01", "BRA", "posterior sd 0.97 of the prior's")
    page = a_page(scorecard=Scorecard((a_moment(), an_em(r=0.95))), flags=(flag,))
    found = {finding.title: finding for finding in verdict(page, page.subjects[0]).findings}
    assert found["Brachialis (BRA)"].tone == "caution"
    assert "only the prior speaks" in found["Brachialis (BRA)"].sentences[-1]


def test_a_flag_of_another_person_is_not_shown():
    page = a_page(flags=(Flag("silent", "sub-99", "BRA"),))
    assert all(flag.subject == "sub-01" for flag in page.flags_of(page.subjects[0]))


# ---------- tables ----------


def test_the_score_table_keeps_a_muscle_together_and_moments_last():
    rows = score_table(a_scorecard())
    assert [row["muscle"] for row in rows] == ["TRImed"] * 3 + ["BRA"] * 3 + ["r_elbow_flex moment"] * 3
    assert rows[0] == {
        "subject": "sub-01", "muscle": "TRImed", "method": "nmm", "trials": "test", "r": "0.66", "nRMSE": "0.10", "RMSE": "0.030",
        "amplitude ratio": "1.05", "coverage": "0.84",
    }  # fmt: skip
    assert rows[1]["coverage"] == "-"


def test_the_score_table_of_nothing_is_empty():
    assert score_table(Scorecard()) == []


def test_numbers_are_written_with_significant_digits():
    assert significant(0.08580) == "0.0858"
    assert significant(1234.5) == "1234"
    assert significant(-0.5) == "−0.500"
    assert significant(float("nan")) == "–"
    assert percent(0.843) == "84\u202f%"


# ---------- series ----------


def test_single_values_are_written_as_source_maps_write_them():
    written = {0: "A", 1: "C", -1: "D", 15: "e", 16: "gB", -16: "hB", 1000: "w+B"}
    assert {value: packed(np.array([float(value)]), 1.0) for value in written} == written


def test_packed_series_come_back_within_half_a_step():
    rng = np.random.default_rng(3)
    for values in (np.sin(np.arange(400) / 9), rng.normal(size=300) * 40, np.zeros(3), np.array([5.0]), np.array([])):
        assert np.allclose(unpacked(packed(values, 0.01), 0.01), values, atol=0.00501)


def test_packed_gaps_stay_gaps():
    values = np.array([np.nan, 0.2, 0.3, np.nan, np.nan, 0.1, np.nan])
    assert np.allclose(unpacked(packed(values, 0.001), 0.001), values, atol=1e-9, equal_nan=True)


def test_a_smooth_series_takes_about_one_character_a_sample():
    envelope = 0.3 + 0.2 * np.sin(np.arange(801) * 0.01 * 2 * np.pi * 0.5)
    assert len(packed(envelope, 0.0005)) < 1.05 * 801


def test_series_are_thinned_to_the_budget_and_never_below_ten_hertz():
    page = a_page()
    whole = packed_series(page, 10**9)
    assert (whole.rate_hz, whole.left_out) == (pytest.approx(100), 0)
    assert packed_series(page, 100_000).rate_hz == pytest.approx(100 / 3, rel=0.35)
    short = packed_series(page, 12_000)
    assert short.rate_hz >= 10
    assert 0 < short.left_out < 18
    kept = [trial["role"] for trial in short.subjects[0] if trial["series"]]
    assert set(kept) == {"test"}


# ---------- colors ----------


def test_flexors_are_blue_extensors_orange_and_deep_muscles_full():
    colors = muscle_colors(MUSCLES, GROUPS, DEEP)
    assert (colors["BRA"], colors["TRImed"]) == ("#0b5fa5", "#c2510c")
    assert len(set(colors.values())) == len(MUSCLES)


def test_muscles_of_unknown_groups_have_colors_too():
    assert len(set(muscle_colors(["a", "b"], {"b": "hip"}).values())) == 2


# ---------- page ----------


def test_the_page_of_one_person_is_one_file_below_six_megabytes():
    page = build_page(a_page())
    assert len(page.encode()) < SIX_MEGABYTES
    assert "Curves are drawn at 100 Hz" in page
    assert not re.search(
        r"<(script|link|img|iframe)[^>]*\b(src|href)=", page.split('<script type="application/json"')[0]
    )


def test_the_page_of_thirteen_people_stays_below_six_megabytes_and_says_what_it_thinned():
    names = tuple(f"S{100 + k}" for k in range(13))
    page = build_page(a_page(names))
    assert len(page.encode()) < SIX_MEGABYTES
    rate = re.search(r"Curves are drawn at ([\d.]+) Hz \(recorded at 100 Hz, thinned", page)
    assert rate
    assert float(rate[1]) >= 12.5
    assert "Geometric mean" in page


def test_the_page_forbids_every_connection_and_names_its_scripts_by_digest():
    page = build_page(a_page(subjects=(a_subject(trials=1),)))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert policy.count("sha256-") == 2
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_names_that_are_html_are_shown_as_text():
    muscles = ("TRIlong", "TRIlat", HOSTILE, "BIClong", "BICshort", "BRA")
    subject = a_subject(HOSTILE, trials=2, muscles=muscles, prefix=HOSTILE)
    page = build_page(
        a_page(
            subjects=(subject,), scorecard=a_scorecard((HOSTILE,), (HOSTILE, "BRA"), trials=2), provenance={HOSTILE: [HOSTILE]},
            flags=(Flag(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        )
    )  # fmt: skip
    assert "<img" not in page.split("<script>")[0]
    assert "&lt;img src=x" in page
    assert page.count("</script>") == 3


def test_the_page_reads_without_scores_parameters_training_and_truth():
    trials = (a_trial(truth=False, load=float("nan"), samples=50),)
    bare = SubjectContent(Reconstruction("nmm", "sub-01", tuple(an_answer(t) for t in trials)))
    page = build_page(PageContent("Title", "study", (replace(bare),)))
    assert "does not prove the deep envelopes" in page
    assert "Nothing was scored" in page


def test_deep_muscles_are_those_without_an_electrode():
    assert a_page().deep == DEEP


def test_all_that_is_wrong_with_the_content_is_listed_at_once():
    stranger = Reconstruction("copy", "sub-02", ())
    empty = SubjectContent(Reconstruction("nmm", "sub-01", ()), (stranger,))
    with pytest.raises(InputError) as caught:
        PageContent("t", "s", (empty, empty))
    assert len(caught.value.problems) == 5
    with pytest.raises(InputError, match="no subject"):
        PageContent("t", "s", ())


# ---------- methods ----------


def test_the_methods_paragraph_names_what_was_really_used():
    text = methods_paragraph(a_page())
    for words in (
        "Excitations of TRImed and BRA",
        "surface EMG of TRIlong, TRIlat, BIClong and BICshort",
        "1 subject with 12 trials for fitting and 6 for testing, at loads of 0 kg, 2 kg and 4 kg",
        "Butterworth low-pass, 2 poles a pass, forward and backward, 6 Hz (effective -3 dB at 4.81 Hz)",
        "Savitzky-Golay, degree 3, window 0.11 s",
        "An ensemble of 5 networks",
        "profundus 0.1.0",
        "jax 0.10.2",
        "arXiv:2503.05201",
    ):
        assert words in text


def test_the_methods_paragraph_of_another_method_does_not_claim_the_network():
    subject = a_subject(trials=1)
    other = replace(subject, reconstruction=replace(subject.reconstruction, method="static_optimization"))
    text = methods_paragraph(a_page(subjects=(other,), settings=None))
    assert "static optimization" in text
    assert "Kumar" not in text
    assert "transformer" not in text
