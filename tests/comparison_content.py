"""Three methods on a few people with known scores, for the tests of the comparison's page and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from profundus.errors import Problem
from profundus.records import Flag, Reconstruction, Scorecard, ScoreRow, TrialReconstruction
from profundus.report import ComparisonContent, SubjectAnswers
from report_content import DEEP, GROUPS, MUSCLES, a_trial, an_answer

METHODS = ("nmm", "copy", "static_optimization")
RATIOS = {"nmm": 0.5, "copy": 1.0, "static_optimization": 2.0}
LOADS = (0.0, 2.0, 4.0)


def a_person(name="sub-01", *, methods=METHODS, samples=801, muscles=MUSCLES, truth=True, loads=LOADS):
    """Return one person: two test trials at each load; the copy has neither band nor moment."""
    trials = [
        a_trial(
            f"load{load:g}_{turn}", subject=name, load=load, samples=samples, seed=turn, muscles=muscles, truth=truth
        )
        for turn in range(2)
        for load in loads
    ]
    answers = []
    for place, method in enumerate(methods):
        parts = [an_answer(trial, scale=1.0 + 0.2 * place) for trial in trials]
        if method == "copy":
            parts = [TrialReconstruction(p.trial, p.excitation, p.excitation, p.excitation) for p in parts]
        doubts = (Flag("silent", name, "BRA", "below 0.02 for 71% of the samples"),) if "static" in method else ()
        answers.append(Reconstruction(method, name, tuple(parts), doubts))
    return SubjectAnswers(name, tuple(answers))


def without_load(person):
    """Return the person with trials of which nobody wrote down the load."""
    answers = [
        replace(a, trials=tuple(replace(p, trial=replace(p.trial, load_kg=float("nan"))) for p in a.trials))
        for a in person.answers
    ]
    return replace(person, answers=tuple(answers))


def a_card(names, *, methods=METHODS, deep=DEEP, ratios=None, hidden=False, r2=0.97, role="test"):
    """Return rows whose errors are ``ratios`` times the copy's, in every person, pooled and at each load."""
    rows = []
    for name in names:
        for method in methods:
            worse = (ratios or RATIOS).get(method, 3.0)
            for muscle in deep:
                row = ScoreRow(
                    method, name, "all", float("nan"), role, "emg", muscle, r=0.9, rmse=0.04 * worse, nrmse=0.1 * worse,
                    amplitude_ratio=1.1, rmse_scaled=0.03 * worse, coverage90=0.88, interval_score90=0.2, hidden=hidden, n=4000,
                )  # fmt: skip
                rows += [row, *(replace(row, trial="load", load_kg=load) for load in LOADS)]
            moment = ScoreRow(
                method, name, "all", float("nan"), role, "moment", "r_elbow_flex", r=0.99, rmse=0.5, r2=r2
            )
            rows += [moment, replace(moment, trial="load0_0", load_kg=0.0)] if method != "copy" else []
    return Scorecard(tuple(rows))


def a_comparison(names=("sub-01", "sub-02"), **options):
    methods = options.get("methods", METHODS)
    subjects = options.pop("subjects", None) or tuple(a_person(name, methods=methods) for name in names)
    given = {
        "methods": methods,
        "scorecard": a_card(names, methods=methods),
        "deep": DEEP,
        "groups": GROUPS,
        "seconds": {(method, name): 1.5 for method in methods for name in names},
        "failures": (("static_optimization", "sub-09", "no activation explains the moment"),),
        "problems": (Problem("warning", "nRows is 800, but there are 801 rows", file="sub-01/emg.sto", line=3),),
        "provenance": {"version": "0.1.0", "seed": 0},
    }
    return ComparisonContent("Methods compared", "elbow curls", subjects=subjects, **{**given, **options})


def without_truth(content):
    """Return the comparison of people of whom no deep envelope is known."""
    people = tuple(a_person(subject.id, methods=content.methods, truth=False) for subject in content.subjects)
    moments = tuple(row for row in content.scorecard.rows if row.quantity == "moment")
    return replace(content, subjects=people, scorecard=Scorecard(moments))


def level(person, muscle, load):
    """Return the truth's mean between 80 and 100 degrees at a load, by hand."""
    trials = [trial for trial in person.trials if trial.load_kg == load]
    near = [np.abs(np.degrees(trial.angle[:, 0]) - 90) <= 10 for trial in trials]
    column = MUSCLES.index(muscle)
    return np.concatenate([trial.truth[there, column] for trial, there in zip(trials, near, strict=True)]).mean()
