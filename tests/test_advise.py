"""Advice on what to record next: what a wire is worth, what a person would do in other trials, and what he cannot do."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from cli_study import called, tiny_study
from curls import DEEP, arm, curl, true_parameters, two_curls
from profundus.cli.advising import _rows
from profundus.fit.advice import Known, Outlook, Recording, outlook, pinned, ranked
from profundus.fit.advice_control import Task, activations_for, learned_control
from profundus.io.shipped import shipped_prior
from profundus.model.deep_posterior import WindowPosterior
from profundus.protocols import advising
from profundus.protocols.rehearsing import learned_limb
from profundus.records import Advice
from profundus.simulate.limb import ARM26_FOREARM, limb_moment

MUSCLES = arm().muscles
NINETY = 1.6448536269514722
needs_prior = pytest.mark.skipif(shipped_prior("arm26") is None, reason="no learned prior is shipped")


def answer(course_sd=0.2, level_sd=0.3) -> tuple[WindowPosterior, np.ndarray]:
    middle = np.log(np.full((2, 5, 6), 0.1))
    valid = np.ones((2, 5), bool)
    valid[1, 3:] = False
    return WindowPosterior(middle, np.full(middle.shape, course_sd), np.full(6, level_sd)), valid


def test_a_band_is_that_of_course_and_level_together():
    found, valid = answer()
    seen = outlook(found, valid, Known(np.eye(6)).levels(found.level_sd))
    sd = NINETY * np.hypot(0.2, 0.3)
    np.testing.assert_allclose(seen.band, 0.1 * (np.exp(sd) - np.exp(-sd)))


def test_a_wire_narrows_the_band_of_its_muscle_alone():
    found, valid = answer()
    before = outlook(found, valid, Known(np.eye(6)).levels(found.level_sd))
    after = pinned(found, valid, Known(np.eye(6)), 5, 0.1)
    assert after.level_sd[5] == pytest.approx((0.3**-2 + 0.1**-2) ** -0.5)
    assert after.band[5] < 0.75 * before.band[5]
    np.testing.assert_allclose(after.band[:5], before.band[:5])


def test_a_second_wire_is_worth_less_than_the_first():
    found, valid = answer()
    first, second = (pinned(found, valid, Known(np.eye(6), heard), 5, 0.1) for heard in ((), [(5, 0.0, 0.1)]))
    alone = outlook(found, valid, Known(np.eye(6)).levels(found.level_sd))
    assert alone.band[5] - first.band[5] > 3 * (first.band[5] - second.band[5]) > 0


def test_recordings_are_ranked_by_what_they_leave_of_the_bands():
    before = Outlook(np.full(6, 0.3), np.full(6, 0.2))
    half, none = (Outlook(before.level_sd, before.band * np.where(np.arange(6) == 5, x, 1.0)) for x in (0.5, 1.0))
    wire, trial = Recording("wire", "a wire in BRA", of="BRA"), Recording("trial", "curls", motion="curls", load_kg=1.0)
    rows = ranked([(trial, none), (wire, half)], before, MUSCLES, (2, 5), "sub-01")
    assert [(row.rank, row.muscle) for row in rows] == [(1, "TRImed"), (1, "BRA"), (2, "TRImed"), (2, "BRA")]
    assert rows[0].share == pytest.approx(np.sqrt(0.5))
    said = Advice("sub-01", rows).summary
    assert "a wire in BRA: it narrows the band of BRA to 50%" in said
    assert "No load or motion narrows a band;" in said


def test_a_leg_of_many_muscles_is_advised_in_a_line_a_recording_of_the_muscle_that_gains_most():
    before = Outlook(np.full(6, 0.3), np.full(6, 0.2))
    half = Outlook(before.level_sd, before.band * np.where(np.arange(6) == 5, 0.5, 1.0))
    wire = Recording("wire", "a wire in BRA", of="BRA")
    said = Advice("sub-01", ranked([(wire, half)], before, MUSCLES, range(6), "sub-01"), untried="several joints move")
    (line,) = _rows(said)
    assert (line["recording"], line["most for"], line["its band"]) == ("a wire in BRA", "BRA", "0.200 -> 0.100")
    assert len(line) == 6
    assert said.summary.endswith("No extra trial was tried: several joints move.")


def test_activations_make_the_wanted_moment_and_keep_the_shares_of_a_side():
    trials = two_curls()
    tasks = [Task(t.angle[:, 0], t.velocity[:, 0], t.moment[:, 0], t.load_kg) for t in trials]
    control = learned_control(tasks, [t.truth for t in trials])
    other = curl("other", load_kg=2.0, seed=7)
    task = Task(other.angle[:, 0], other.velocity[:, 0], other.moment[:, 0], 2.0)
    active = activations_for(task, control, arm(), true_parameters(), muscle="thelen")
    made = arm().joint_moment(active, other.angle, other.velocity, parameters=true_parameters(), muscle="thelen")
    np.testing.assert_allclose(np.asarray(made), other.moment, atol=0.02)
    flexors = active[:, 3:] / active[:, 3:4]
    np.testing.assert_allclose(flexors, np.broadcast_to([1.0, 0.85, 1.15], flexors.shape), rtol=0.1)


def test_nobody_is_advised_to_lift_what_he_cannot():
    trials = two_curls()
    tasks = [Task(t.angle[:, 0], t.velocity[:, 0], t.moment[:, 0], t.load_kg) for t in trials]
    control = learned_control(tasks, [t.truth for t in trials])
    heavy = Task(tasks[0].angle, tasks[0].velocity, np.full(len(tasks[0].angle), 200.0), 60.0)
    assert activations_for(heavy, control, arm(), true_parameters(), muscle="thelen") is None


def test_moments_tell_the_limb():
    chance, trials = np.random.default_rng(0), []
    for load in range(4):
        one = curl(load_kg=float(load), seconds=8.0, seed=load)
        moment = limb_moment(ARM26_FOREARM, one.angle, one.acceleration, load) + chance.normal(0, 0.1, one.angle.shape)
        trials.append(replace(one, moment=1.2 * moment))
    own = ARM26_FOREARM
    weight = 9.80665 * np.array([own.mass * own.center, own.lever])
    np.testing.assert_allclose(learned_limb(trials)[[2, 3]], 1.2 * weight, rtol=0.05)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setitem(advising.advise.__kwdefaults__, "loads_kg", (1.0, 40.0))
    monkeypatch.setattr(advising, "MOTIONS", ("curls",))
    monkeypatch.setattr(advising, "PAIRS", 1)


@needs_prior
def test_a_wire_comes_first_and_the_same_seed_advises_the_same(tmp_path, capsys, few):
    study = tiny_study(tmp_path, ablation="none")
    code, said = called(capsys, "advise", study, "--out", tmp_path / "advice")
    assert code == 0
    rows = said["recordings"]
    assert rows[0]["kind"] == "wire"
    assert {row["kind"] for row in rows} == {"wire", "dominant", "trial"}
    assert {row["muscle"] for row in rows} == set(DEEP)
    assert rows[0]["share"] < min(row["share"] for row in rows if row["kind"] == "trial")
    assert any("40 kg" in text for text in said["left_out"])
    assert "No load or motion narrows a band" in said["summary"]
    with (tmp_path / "advice" / "advice.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    assert json.loads((tmp_path / "advice" / "advice.json").read_text())["summary"] == said["summary"]
    assert called(capsys, "advise", study)[1]["recordings"] == rows


@needs_prior
def test_a_wire_that_is_there_is_no_longer_the_best_advice_for_its_muscle(tmp_path, few):
    import profundus as pf

    path = tiny_study(tmp_path, ablation="none")
    before = pf.advise(path)
    pin = '\n[[calibration]]\nmuscle = "{}"\nkind = "trial"\ntrial = "sub-01_light"\n'
    path.write_text(path.read_text() + pin.format(before.of[0]), encoding="utf-8")
    after = pf.advise(path)
    assert after.of[0] not in ("", before.of[0])
    was, now = (frame.set_index("muscle").level_sd_before[before.of[0]].iloc[0] for frame in (before, after))
    assert now < 0.6 * was
    assert "wire" in before.attrs["summary"]


def test_one_of_several_people_must_be_named(tmp_path, capsys):
    code, said = called(capsys, "advise", tiny_study(tmp_path, subjects=("sub-01", "sub-02")))
    assert code == 2
    assert "2 people" in said["problems"][0]["what"]
    assert "sub-02" in said["problems"][0]["expected"]
