"""A comparison tells whose bands hold, beside simpler bands, and who is missed without a warning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comparison_content import a_card, a_comparison, a_person, without_truth
from profundus.records import Flag
from profundus.report import build_comparison
from profundus.report.comparison_bands import all_bands, band_block
from test_prior_page import text_of

NAMES = tuple(f"sub-0{k}" for k in range(1, 7))


def with_bands(person, factor, *, truth_times=1.0):
    """Return the person, whose true deep envelopes are ``truth_times`` the middle of our band, from 1/factor to factor times it."""
    parts = []
    for part in person.answers[0].trials:
        truth = np.where(np.isfinite(part.trial.truth), truth_times * part.excitation, np.nan)
        trial = replace(part.trial, truth=truth)
        parts.append(replace(part, trial=trial, lower=part.excitation / factor, upper=part.excitation * factor))
    return replace(person, answers=(replace(person.answers[0], trials=tuple(parts)), *person.answers[1:]))


def test_coverage_is_averaged_over_people_and_the_worst_is_named():
    people = (with_bands(a_person("sub-01"), 2.0), with_bands(a_person("sub-02"), 2.0, truth_times=3.0))
    found = [one for one in all_bands(a_comparison(subjects=people)) if one.method == "nmm"]
    assert [(one.method, one.muscle) for one in found] == [("nmm", "TRImed"), ("nmm", "BRA")]
    assert found[1].mean("coverage") == 0.5
    assert (found[1].worst.subject, found[1].worst.coverage) == ("sub-02", 0.0)
    assert (found[1].at(2.0), np.isnan(found[1].at(9.0))) == (0.5, True)


def test_people_whose_band_misses_them_are_listed_unless_a_flag_warns():
    bad = with_bands(a_person("sub-02"), 2.0, truth_times=3.0)
    text = text_of(band_block(a_comparison(subjects=(with_bands(a_person("sub-01"), 2.0), bad))))
    assert "Bands that hold less than 60 % of a person, and no flag says so:" in text
    assert "BRA NMM: sub-02 (0 %)" in text
    warned = replace(
        bad, answers=(replace(bad.answers[0], flags=(Flag("unlike_teachers", "sub-02"),)), *bad.answers[1:])
    )
    assert "BRA NMM: sub-02" not in text_of(band_block(a_comparison(subjects=(warned,), names=("sub-02",))))
    elsewhere = replace(
        bad, answers=(replace(bad.answers[0], flags=(Flag("silent", "sub-02", "TRImed"),)), *bad.answers[1:])
    )
    text = text_of(band_block(a_comparison(subjects=(elsewhere,), names=("sub-02",))))
    assert "BRA NMM: sub-02 (0 %)" in text
    assert "TRImed NMM: sub-02" not in text


def test_the_copy_gets_a_band_where_there_are_five_people_with_fit_trials():
    few = a_comparison(NAMES, scorecard=a_card(NAMES))
    assert "Copy's band" not in band_block(few)  # all trials are test trials
    content = replace(few, subjects=tuple(map(_half_to_fit, few.subjects)))
    assert "Copy&#x27;s band" in band_block(content)
    found = next(one for one in all_bands(content) if one.muscle == "BRA")
    assert len(found.conformal) == len(NAMES)
    four = replace(content, subjects=content.subjects[:4])
    assert "Copy&#x27;s band" not in band_block(four)


def _half_to_fit(person):
    def parted(answer):
        roles = [
            replace(p, trial=replace(p.trial, role="fit" if p.trial.name.endswith("_0") else "test"))
            for p in answer.trials
        ]
        return replace(answer, trials=tuple(roles))

    return replace(person, answers=tuple(map(parted, person.answers)))


def test_without_truth_or_bands_the_section_is_left_out():
    assert 'id="bands"' in build_comparison(a_comparison())
    assert 'id="bands"' not in build_comparison(without_truth(a_comparison()))
    copies = a_comparison(
        methods=("copy",),
        subjects=tuple(replace(a_person(name), answers=a_person(name).answers[1:2]) for name in ("sub-01", "sub-02")),
    )
    assert band_block(copies) == ""


def test_the_curve_stands_where_its_numbers_are():
    people = (with_bands(a_person("sub-01"), 2.0, truth_times=2.0**0.5),)
    block = band_block(a_comparison(subjects=people, names=("sub-01",)))
    # the truth lies 0.82 sd above the middle in every sample: bands of 60 % and more hold all of it, those of 50 % nothing
    assert "the 50% band holds 0% (0% to 0%)" in block
    assert "the 60% band holds 100% (100% to 100%)" in block


@pytest.mark.parametrize("name", ["<img src=x>", "a&b"])
def test_names_are_shown_as_text(name):
    person = with_bands(a_person(name), 2.0, truth_times=3.0)
    block = band_block(a_comparison(subjects=(person,), names=(name,)))
    assert name not in block.replace("&amp;", "")
    assert f"BRA NMM: {name}" in text_of(block)
