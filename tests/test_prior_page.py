"""The page of a learned prior tells the numbers of its card, and what they do not say."""

from __future__ import annotations

import json
import re
from html import unescape

import numpy as np
import pytest

from profundus.cli.results import reported
from profundus.errors import FileFormatError, MissingFileError
from profundus.io.weights import CheckpointStore
from profundus.pages.prior import write_prior_page
from profundus.report.prior import PriorContent, build_prior
from test_report import HOSTILE

MUSCLES = ["TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA"]
RECIPE = 'anatomy = "arm26"\nseed = 7\n'


def a_score(muscle, electrodes="usual", **changed):
    row = {
        "electrodes": electrodes, "muscle": muscle, "people": 200, "rmse": 0.0312, "rmse_ratio": 0.58, "better": 0.91, "r": 0.972,
        "reference_r": 0.913, "level_mean": 0.01, "level_rms": 0.3, "course_rmse": 0.011, "course_ratio": 0.7, "held": 0.897,
        "held_least": 0.41, "level_held": 0.9, "course_held": 0.9,
    }  # fmt: skip
    return row | changed


def a_card(**changed):
    """Return a card as `profundus pretrain` writes it, with made-up numbers."""
    shares = [round(0.1 * n, 1) for n in range(1, 10)]
    ranks = {
        "people": 200, "level": [10] * 19 + [24], "level_expected": [5, 15], "sample": [0.05] * 20,
        "bands": shares, "level_held": shares, "held": [share**2 for share in shares],
    }  # fmt: skip
    card = {
        "kind": "card of a learned prior", "date": "2026-01-01", "version": "0.1.0", "license": "Apache-2.0",
        "libraries": {"python": "3.11.7", "jax": "0.10.2"},
        "anatomy": {"name": "arm26", "muscles": MUSCLES, "groups": ["elbow_extensors"] * 3 + ["elbow_flexors"] * 3,
                    "coordinates": ["r_elbow_flex"], "credit": "The Arm26 developers"},
        "electrodes": ["TRIlong", "TRIlat", "BIClong", "BICshort"],
        "population": {"words": ["300 laboratories of 50 people each.", "Loads 0, 2, 4 kg."], "taught": 14600, "held_out": 400},
        "recipe": {"seed": 7},
        "learning": {"weights": 261234, "bits": 16, "bytes": 1045352, "steps": 7000, "loss_first": 1.25, "loss_last": -0.5},
        "seconds": {"people": 900.0, "learning": 7300.0, "judging": 12.0},
        "calibration": {"level_factor": {"BRA": 1.1}},
        "scores": [a_score("TRImed", rmse_ratio=1.2), a_score("BRA"), a_score("BIClong", "without BIClong")],
        "families": [a_score("BRA", family="load_switch", held=0.71), a_score("BRA", family="effort", held=0.93)],
        "loads": [{"muscle": "BRA", "load_kg": 2.0, "people": 180, "rmse": 0.03, "rmse_ratio": 0.6, "held": 0.88}],
        "ranks": [{"electrodes": "usual", "muscle": "BRA", **ranks}],
        "limits": ["No score says how good the prior is for people.", "Research use only."],
    }  # fmt: skip
    return card | changed


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).replace("\u202f", " ").replace("\u2009", " ").split())


def test_the_page_tells_scores_teachers_and_limits():
    text = text_of(build_prior(PriorContent(a_card(), RECIPE, [1.0, 0.5, 0.2])))
    assert "BRA with 0.58 times the error of its reference" in text
    assert "14,600 virtual people taught it; 400 others calibrated and judged it" in text
    assert "The 90 % band holds 90 %, of the least lucky person 41 %." in text
    assert "261,234 weights of 16 bits (1.05 MB), 7,000 steps. Loss 1.250 at first, −0.500 in the end." in text
    assert "people 15 min, learning 2.0 h, judging 12 s" in text
    assert "No score says how good the prior is for people." in text
    assert "without BIClong" in text
    assert "load switch" in text
    assert "2 kg" in text
    assert "seed = 7" in text


def test_a_muscle_that_is_worse_than_its_reference_is_shown_as_bad():
    page = build_prior(PriorContent(a_card(), RECIPE))
    cards = re.findall(r'<div class="card (\w+)"><h3>([^<]*)</h3>', page)
    assert cards == [("bad", "Triceps medial head (TRImed)"), ("good", "Brachialis (BRA)")]


def test_the_page_is_small_needs_no_script_and_reaches_nothing():
    page = build_prior(PriorContent(a_card(), RECIPE, list(np.linspace(2.0, 0.1, 7000))))
    assert len(page) < 100_000
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!#)', page)


def test_the_loss_falls_on_the_picture_as_it_fell():
    page = build_prior(PriorContent(a_card(), RECIPE, [2.0] * 100 + [1.0] * 100))
    points = [tuple(map(float, p.split(","))) for p in re.search(r'<polyline points="([^"]*)"', page)[1].split()]
    assert len(points) == 100  # means of two steps
    assert points[0][1] < points[-1][1]  # higher on the page
    assert {y for _, y in points[:50]} == {points[0][1]}


def test_without_checkpoints_the_page_says_why_there_is_no_curve():
    page = build_prior(PriorContent(a_card(), RECIPE))
    assert "checkpoints, which is not there any more" in page


def test_few_judges_are_a_caution():
    few = a_card(population={"words": [], "taught": 20, "held_out": 20})
    assert "10 people judged: the pictures below tell little" in build_prior(PriorContent(few, RECIPE))
    assert "tell little" not in build_prior(PriorContent(a_card(), RECIPE))


def test_too_few_people_of_every_strategy_are_told_so():
    assert "Too few people to tell." in build_prior(PriorContent(a_card(families=[], loads=[]), RECIPE))


def test_words_that_are_html_are_shown_as_text():
    hostile = a_card(
        limits=[HOSTILE], license=HOSTILE, population={"words": [HOSTILE], "taught": 1, "held_out": 100},
        families=[a_score("BRA", family=HOSTILE)], seconds={HOSTILE: 1.0}, libraries={HOSTILE: HOSTILE},
    )  # fmt: skip
    page = build_prior(PriorContent(hostile, HOSTILE))
    assert "<img" not in page
    assert text_of(page).count("{{data}}") >= 6


def written(folder, card, *, recipe=True):
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    if recipe:
        (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return folder


def test_report_writes_the_page_of_a_prior_s_folder_again(tmp_path):
    CheckpointStore(written(tmp_path, a_card()) / "checkpoints").save(3, {"history": np.array([2.0, 1.0, 0.5])}, {})
    assert reported(tmp_path).facts["page"] == tmp_path / "card.html"
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "Loss, one step" in page


def test_a_card_that_lacks_something_is_named(tmp_path):
    card = a_card()
    del card["scores"][0]["rmse_ratio"]
    with pytest.raises(FileFormatError, match=r"card\.json.*rmse_ratio"):
        write_prior_page(written(tmp_path, card))


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"recipe\.toml"):
        write_prior_page(written(tmp_path, a_card(), recipe=False))
