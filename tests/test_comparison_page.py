"""The page of a comparison says who comes nearest to the truth, how sure that is, and what it does not prove."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from comparison_content import METHODS, a_card, a_comparison, a_person, level, without_load, without_truth
from profundus.errors import InputError
from profundus.records import Flag, Scorecard
from profundus.report import ComparisonContent, build_comparison
from profundus.report.comparison_numbers import levels, median_subject, moment_r2, ratios, shown_at_first
from profundus.report.comparison_series import comparison_series
from profundus.report.comparison_style import KNOWN, method_styles
from profundus.report.comparison_words import cautions, findings, headline
from report_content import MUSCLES

SIX_MEGABYTES = 6_000_000
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{data}}</script>"


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


# ---------- words ----------


def test_the_headline_names_the_nearest_method_with_interval_and_wins():
    text = headline(a_comparison())
    assert "BRA: NMM comes nearest to the truth, with 0.50 times the error of copying" in text
    assert "(0.50 to 0.50, nearer in 2 of 2 people)" in text


def test_the_headline_does_not_favor_ours():
    worse = {"nmm": 1.5, "copy": 1.0, "static_optimization": 0.8}
    page = a_comparison(scorecard=a_card(("sub-01", "sub-02"), ratios=worse))
    assert "static optimization comes nearest" in headline(page)
    ours = findings(page)[1]
    assert (ours.number, ours.tone) == ("×1.50", "bad")
    assert "Place 3 of 3: static optimization comes nearer (×0.80)." in ours.sentences


def test_where_nothing_beats_the_copy_it_is_told_so():
    page = a_comparison(scorecard=a_card(("sub-01",), ratios={"nmm": 1.2, "static_optimization": 2.0, "copy": 1.0}))
    assert "no method comes nearer to the truth than copying" in headline(page)


def test_where_ours_was_not_asked_the_best_of_the_others_is_held_against_the_copy():
    methods = ("copy", "copy_group", "static_optimization")
    ratios = {"copy": 1.0, "copy_group": 1.3, "static_optimization": 0.9}
    page = a_comparison(methods=methods, scorecard=a_card(("sub-01", "sub-02"), methods=methods, ratios=ratios))
    assert findings(page)[0].number == "×0.90"
    assert findings(page)[0].sentences[0].startswith("Error of static optimization against the copy's")


def test_an_interval_that_holds_one_is_no_difference():
    people = [
        a_card((name,), ratios={"nmm": ratio, "copy": 1.0}) for name, ratio in (("a", 0.4), ("b", 1.6), ("c", 0.9))
    ]
    card = Scorecard(tuple(row for one in people for row in one.rows))
    page = a_comparison(("a", "b", "c"), scorecard=card)
    assert "not told apart from no difference" in headline(page)
    assert findings(page)[0].tone == "caution"


def test_a_yardstick_that_reads_the_truth_is_never_the_nearest():
    methods = (*METHODS, "copy_best")
    card = a_card(("sub-01",), methods=methods, ratios={"nmm": 0.9, "copy": 1.0, "copy_best": 0.1})
    page = a_comparison(("sub-01",), methods=methods, scorecard=card)
    assert "NMM comes nearest" in headline(page)
    assert "copy_best" not in shown_at_first(page)


def test_a_good_moment_is_said_to_prove_nothing_with_the_spread_of_errors():
    text = " ".join(cautions(a_comparison()))
    assert "2 methods explain it with R² of 0.9 or more" in text
    assert "BRA from ×0.50 to ×2.00" in text
    assert "2 people decide little" in text


def test_a_method_that_answered_and_is_in_no_ranking_is_named():
    whole = a_comparison()
    card = Scorecard(tuple(row for row in whole.scorecard.rows if "static" not in row.method or row.quantity != "emg"))
    assert "Not held against the copy" not in " ".join(cautions(whole))
    assert "or none: static optimization." in " ".join(cautions(a_comparison(scorecard=card)))
    assert "Not held" not in " ".join(cautions(without_truth(whole)))


def test_without_truth_no_method_is_called_better():
    page = without_truth(a_comparison())
    assert "no method can be said to be better" in headline(page)
    assert "proves nothing" in " ".join(cautions(page))
    assert "No paired scores" in build_comparison(page)


# ---------- numbers ----------


def test_the_best_method_comes_first_and_other_muscles_are_left_out():
    rows = ratios(replace(a_comparison(), deep=("BRA",)))
    assert [(row.name, row.method) for row in rows] == [("BRA", "nmm"), ("BRA", "copy"), ("BRA", "static_optimization")]
    assert [row.ratio for row in rows] == pytest.approx([0.5, 1.0, 2.0])


def test_without_the_copy_nothing_is_paired():
    card = Scorecard(tuple(row for row in a_comparison().scorecard.rows if row.method != "copy"))
    assert ratios(a_comparison(scorecard=card)) == ()


def test_the_level_near_ninety_degrees_is_the_mean_there():
    page = a_comparison(("sub-01",))
    found = levels(page, "BRA")
    by_hand = level(page.subjects[0], "BRA", 4.0)
    assert found.loads == (0.0, 2.0, 4.0)
    assert found.truth[2] == pytest.approx((by_hand, by_hand, by_hand))
    assert set(found.methods) == set(METHODS)


def test_people_of_unknown_load_have_no_level():
    person = without_load(a_person())
    assert levels(a_comparison(subjects=(person,)), "BRA") is None


def test_the_median_person_has_the_median_error():
    cards = [a_card((name,), ratios={"nmm": r, "copy": 1.0}) for name, r in (("a", 3.0), ("b", 0.2), ("c", 0.9))]
    card = Scorecard(tuple(row for one in cards for row in one.rows))
    assert median_subject(a_comparison(("a", "b", "c"), scorecard=card)) == 2


def test_the_worst_coordinate_speaks_for_the_moment():
    rows = a_card(("sub-01",)).rows
    wrist = [replace(row, name="wrist", r2=0.1) for row in rows if row.quantity == "moment" and row.method == "nmm"]
    assert moment_r2(a_comparison(scorecard=Scorecard((*rows, *wrist)))) == {"nmm": 0.1, "static_optimization": 0.97}


# ---------- colors ----------


def test_a_method_has_one_look_everywhere():
    assert method_styles(("copy", "nmm"))["nmm"] == method_styles(("nmm",))["nmm"] == KNOWN["nmm"]
    looks = [(style.color, style.dash, style.marker) for style in method_styles(KNOWN).values()]
    assert len(set(looks)) == len(KNOWN)


def test_a_personalized_variant_keeps_its_hue_and_strangers_get_their_own():
    styles = method_styles(("mse_nmf", "mse_nmf_personalized", "theirs", "others"))
    assert styles["mse_nmf"].color == styles["mse_nmf_personalized"].color
    assert styles["mse_nmf"].dash != styles["mse_nmf_personalized"].dash
    assert styles["theirs"].color != styles["others"].color


def test_every_color_is_dark_enough_on_white():
    # contrast of 2.5 : 1 for graphics, by the relative luminance of WCAG 2.1
    def luminance(color):
        channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for style in KNOWN.values():
        assert 1.05 / (luminance(style.color) + 0.05) > 2.5


# ---------- page ----------


def test_the_page_is_one_file_that_forbids_every_connection():
    page = build_comparison(a_comparison())
    assert len(page.encode()) < SIX_MEGABYTES
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert policy.count("sha256-") == 2
    assert not re.search(
        r"<(script|link|img|iframe)[^>]*\b(src|href)=", page.split('<script type="application/json"')[0]
    )


def test_many_people_stay_below_six_megabytes_and_the_page_says_what_it_thinned():
    names = tuple(f"S{k}" for k in range(30))
    methods = (*METHODS, *(f"method{k}" for k in range(7)))
    page = build_comparison(a_comparison(names, methods=methods))
    assert len(page.encode()) < SIX_MEGABYTES
    assert re.search(r"Curves are drawn at [\d.]+ Hz \(recorded at 100 Hz, thinned", page)


def test_where_there_is_no_room_the_second_trials_go_first():
    series = comparison_series(a_comparison(("sub-01",)), 8_000)
    assert series.left_out > 0
    kept = {trial["turn"] for trial in series.subjects[0] if trial["answers"]}
    assert kept == {0}


def test_the_pictures_hold_the_numbers_of_the_scorecard():
    data = data_of(build_comparison(a_comparison()))
    best = data["ratios"]["BRA"][0]
    assert (best["method"], best["ratio"], best["scaled"], best["wins"], best["n"]) == ("nmm", 0.5, 0.5, 2, 2)
    assert data["cells"]["values"]["BRA"]["nrmse"] == [[0.05] * 6, [0.1] * 6, [0.2] * 6]
    assert [column["load"] for column in data["cells"]["columns"]] == [0.0, 2.0, 4.0] * 2
    assert data["levels"]["BRA"]["physiology"] == [[0.04, 0.04], [0.13, 0.13], [0.23, 0.23]]
    assert data["r2"][0]["nmm"]["r_elbow_flex"] == {"all": 0.97, "load0_0": 0.97}


def test_trials_that_were_fitted_are_not_shown_beside_test_trials():
    page = a_comparison(("sub-01",))
    fitted = replace(page.subjects[0].answers[0].trials[0].trial, name="fitted", role="fit")
    part = replace(page.subjects[0].answers[0].trials[0], trial=fitted)
    ours = page.subjects[0].answers[0]
    person = replace(
        page.subjects[0], answers=(replace(ours, trials=(*ours.trials, part)), *page.subjects[0].answers[1:])
    )
    shown = [trial["name"] for trial in data_of(build_comparison(replace(page, subjects=(person,))))["trials"][0]]
    assert "fitted" not in shown
    assert len(shown) == 6


def test_failures_doubts_and_times_are_told():
    page = build_comparison(a_comparison())
    assert "static optimization, sub-09: no activation explains the moment" in page
    assert "2: sub-01, sub-02" in page
    assert "1.50 s" in page
    assert "nRows is 800" in page


def test_a_hidden_muscle_stands_between_floor_and_ceiling():
    methods = (*METHODS, "own_pattern")
    card = a_card(
        ("sub-01", "sub-02"), methods=methods, deep=("BRA",), hidden=True, ratios={"own_pattern": 0.25, "copy": 1.0}
    )
    page = a_comparison(hidden=("BRA",), scorecard=card)
    assert page.deep == ("BRA",)
    text = build_comparison(page)
    assert "from floor to ceiling" in text
    assert "own pattern in other trials" in text
    assert data_of(text)["ceiling"] == {"BRA": 0.25}
    assert "its own hidden EMG" in headline(page)


def test_nothing_is_said_of_floor_and_ceiling_where_nothing_was_hidden():
    assert "from floor to ceiling" not in build_comparison(a_comparison())


def test_names_that_are_html_are_shown_as_text():
    muscles = ("TRIlong", "TRIlat", HOSTILE, "BIClong", "BICshort", "BRA")
    person = a_person(HOSTILE, muscles=muscles, samples=100)
    person = replace(person, flags=(Flag(HOSTILE, HOSTILE, HOSTILE, HOSTILE),))
    page = build_comparison(
        a_comparison(
            subjects=(person,), scorecard=a_card((HOSTILE,), deep=(HOSTILE, "BRA")), deep=(HOSTILE, "BRA"),
            failures=((HOSTILE, HOSTILE, HOSTILE),), provenance={HOSTILE: [HOSTILE]},
        )
    )  # fmt: skip
    assert "<img" not in page.split("<script>")[0]
    assert "&lt;img src=x" in page
    assert page.count("</script>") == 3


def test_all_that_is_wrong_with_the_content_is_listed_at_once():
    person = a_person("sub-01")
    stranger = replace(a_person("sub-02"), id="sub-01")
    with pytest.raises(InputError) as caught:
        ComparisonContent("t", "s", ("nmm", "nmm"), (person, stranger))
    said = [problem.what for problem in caught.value.problems]
    assert "method 'nmm' is there 2 times" in said
    assert "subject 'sub-01' is there 2 times" in said
    assert "sub-01: the answer of 'nmm' is about 'sub-02'" in said
    assert "sub-01: there is an answer of 'copy', which is not compared" in said
    with pytest.raises(InputError, match="no answer to compare"):
        ComparisonContent("t", "s", ("nmm",), ())


def test_a_muscle_that_nobody_has_is_drawn_nowhere():
    page = replace(a_comparison(), deep=("BRA", "SOL"))
    assert "SOL" not in data_of(build_comparison(page))["levels"]
    assert "SOL" not in MUSCLES
