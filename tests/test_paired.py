"""Methods against each other, person by person: closed forms, missing people, and how sure it all is."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from profundus.errors import InputError
from profundus.records import Scorecard, ScoreRow
from profundus.validate.paired import paired

PEOPLE = [f"S{i}" for i in range(100, 113)]


def row(method, subject, rmse, *, name="BRA", trial="all", load_kg=np.nan, role="test", **more):
    return ScoreRow(method, subject, trial, load_kg, role, "emg", name, rmse=rmse, **more)


def card(errors, copies=None, **more):
    copies = [0.04] * len(errors) if copies is None else copies
    ours = [row("nmm", who, e, **more) for who, e in zip(PEOPLE, errors, strict=False)]
    return Scorecard((*ours, *(row("copy", who, e, **more) for who, e in zip(PEOPLE, copies, strict=False))))


def of(rows, method="nmm", **wanted):
    (found,) = [r for r in rows if r.method == method and all(getattr(r, k) == v for k, v in wanted.items())]
    return found


def test_the_ratio_is_the_geometric_mean_over_people():
    errors, copies = [0.02, 0.05, 0.03], [0.04, 0.04, 0.06]
    found = of(paired(card(errors, copies)))
    assert found.ratio == pytest.approx(stats.gmean([0.5, 1.25, 0.5]))
    assert (found.wins, found.people, found.left_out) == (2, 3, 0)
    assert found.lower <= found.ratio <= found.upper


def test_the_method_itself_stands_beside_the_others_at_one():
    found = of(paired(card([0.02, 0.05])), "copy")
    assert (found.ratio, found.lower, found.upper, found.wins) == (1.0, 1.0, 1.0, 0)


def test_silence_where_it_is_hard_wins_nothing():
    rows = [row("copy", who, 0.04, n=1000) for who in PEOPLE[:3]]
    rows += [
        row("nmm", who, error, n=n) for who, error, n in zip(PEOPLE, (0.02, 0.05, 0.05), (899, 900, 1111), strict=False)
    ]
    found = of(paired(Scorecard(tuple(rows))))
    assert (found.people, found.left_out, found.wins) == (2, 1, 0)
    assert found.ratio == pytest.approx(1.25)


def test_the_interval_is_that_of_the_mean_of_normal_logs():
    # 300 people whose log ratio has the mean log 0.8 and the standard deviation 0.3: the interval is mean +- 1.645 x 0.3 / sqrt(300)
    quantiles = stats.norm.ppf((np.arange(300) + 0.5) / 300)
    logs = np.log(0.8) + 0.3 * quantiles / np.std(quantiles)
    rows = [row("nmm", f"P{i}", 0.04 * np.exp(log)) for i, log in enumerate(logs)]
    rows += [row("copy", f"P{i}", 0.04) for i in range(300)]
    found = of(paired(Scorecard(tuple(rows))))
    half = stats.norm.ppf(0.95) * 0.3 / np.sqrt(300)
    assert np.log([found.lower, found.upper]) == pytest.approx(np.log(0.8) + np.array([-half, half]), abs=0.003)
    assert found.ratio == pytest.approx(0.8)


def test_the_same_seed_gives_the_same_interval():
    errors = np.random.default_rng(0).uniform(0.02, 0.06, 13)
    first, again, other = (of(paired(card(errors), seed=seed)) for seed in (1, 1, 2))
    assert first == replace(again, load_kg=first.load_kg)
    assert other.lower != first.lower
    assert other.lower == pytest.approx(first.lower, rel=0.02)


def test_of_one_person_nothing_is_said_about_others():
    found = of(paired(card([0.02])))
    assert (found.people, found.ratio, found.wins) == (1, pytest.approx(0.5), 1)
    assert np.isnan([found.lower, found.upper]).all()


def test_people_who_lack_one_of_the_two_are_left_out_and_counted():
    scores = card([0.02, np.nan, 0.08, 0.02, 0.0], [0.04, 0.04, 0.04, np.nan, 0.04])
    lonely = Scorecard((*scores.rows, row("nmm", "S200", 0.01), row("copy", "S201", 0.01)))
    found = of(paired(lonely))
    assert (found.people, found.left_out, found.wins) == (2, 5, 1)
    assert found.ratio == pytest.approx(1.0)


def test_where_nobody_can_be_compared_nothing_is_known():
    scores = Scorecard((*card([0.02], name="BRA").rows, row("nmm", "S100", 0.1, name="TRImed")))
    found = of(paired(scores), name="TRImed")
    assert (found.people, found.left_out, found.wins) == (0, 1, 0)
    assert np.isnan([found.ratio, found.lower, found.upper, found.r, found.rmse, found.log_amplitude_rms]).all()


def test_medians_and_the_amplitude_are_those_of_the_people_compared():
    shapes = [(0.9, 0.5, 0.8), (0.7, 2.0, 0.9), (0.95, 1.0, 1.0)]
    rows = [
        row("nmm", who, 0.02, r=r, nrmse=0.1, amplitude_ratio=a, coverage90=c, interval_score90=0.2)
        for who, (r, a, c) in zip(PEOPLE, shapes, strict=False)
    ]
    rows += [row("copy", who, 0.04) for who in PEOPLE[:3]] + [row("nmm", "S200", 9.0, r=-1.0)]
    found = of(paired(Scorecard(tuple(rows))))
    assert (found.r, found.amplitude_ratio, found.coverage90, found.rmse) == (0.9, 1.0, 0.9, 0.02)
    assert (found.nrmse, found.interval_score90) == (0.1, 0.2)
    assert found.log_amplitude_rms == pytest.approx(np.log(2) * np.sqrt(2 / 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(of(paired(Scorecard(tuple(rows))), "copy").coverage90)


def test_loads_are_held_apart_or_asked_for_alone():
    rows = []
    for load, factor in ((0.0, 0.5), (2.0, 2.0)):
        rows += card([0.04 * factor] * 3, trial="load", load_kg=load).rows
    rows += card([0.03] * 3).rows
    by_load = paired(Scorecard(tuple(rows)), pooled="load")
    assert {r.load_kg: r.ratio for r in by_load if r.method == "nmm"} == pytest.approx({0.0: 0.5, 2.0: 2.0})
    assert of(paired(Scorecard(tuple(rows)), pooled=2.0)).ratio == pytest.approx(2.0)
    whole = of(paired(Scorecard(tuple(rows))))
    assert whole.ratio == pytest.approx(0.75)
    assert np.isnan(whole.load_kg)


def test_the_time_course_may_be_compared_instead():
    rows = [row(m, who, 0.04, rmse_scaled=e) for m, e in (("nmm", 0.01), ("copy", 0.02)) for who in PEOPLE[:4]]
    assert of(paired(Scorecard(tuple(rows)))).ratio == pytest.approx(1.0)
    assert of(paired(Scorecard(tuple(rows)), by="rmse_scaled")).ratio == pytest.approx(0.5)


def test_any_method_may_be_the_one_that_others_are_held_against():
    rows = (*card([0.02, 0.03]).rows, *(row("synx_pca", who, 0.08) for who in PEOPLE[:2]))
    found = of(paired(Scorecard(rows), against="synx_pca"), "copy")
    assert (found.against, found.ratio) == ("synx_pca", pytest.approx(0.5))


def test_a_hidden_muscle_is_not_mixed_with_the_same_muscle_measured():
    rows = (*card([0.02, 0.02]).rows, *card([0.08, 0.08], hidden=True).rows)
    found = {r.hidden: r.ratio for r in paired(Scorecard(rows)) if r.method == "nmm"}
    assert found == pytest.approx({False: 0.5, True: 2.0})


def test_moments_and_trials_to_fit_are_no_part_of_it():
    rows = (*card([0.02]).rows, *card([9.0], role="fit").rows, replace(row("nmm", "S100", 9.0), quantity="moment"))
    assert of(paired(Scorecard(rows))).ratio == pytest.approx(0.5)
    assert of(paired(Scorecard(rows), role="fit")).ratio == pytest.approx(9.0 / 0.04)


def test_what_cannot_be_compared_is_told_with_what_can():
    without_copy = Scorecard(tuple(r for r in card([0.02]).rows if r.method != "copy"))
    with pytest.raises(InputError, match=r"no scores of 'copy'.*one of nmm"):
        paired(without_copy)
    with pytest.raises(InputError, match="role 'fit'"):
        paired(card([0.02]), role="fit")
    with pytest.raises(InputError, match="role 'test'"):
        paired(Scorecard())
    loaded = Scorecard((*card([0.02], trial="load", load_kg=2.0).rows, *card([0.02]).rows))
    with pytest.raises(InputError, match=r"load of 3 kg.*one of 2 kg"):
        paired(loaded, pooled=3.0)
    with pytest.raises(InputError, match="known loads"):
        paired(card([0.02]), pooled="load")
    with pytest.raises(InputError, match="S100: BRA is scored twice under 'nmm'"):
        paired(Scorecard((*card([0.02]).rows, row("nmm", "S100", 0.03))))
