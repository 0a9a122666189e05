"""A small study with known answers, for the tests of the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from profundus.errors import Problem
from profundus.records import (
    DecidedRow,
    FitSettings,
    Flag,
    ParameterRow,
    QualityRow,
    Reconstruction,
    Scorecard,
    ScoreRow,
    TradeOff,
    Trial,
    TrialReconstruction,
)
from profundus.report import PageContent, SubjectContent, TrainingCurve

MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
DEEP = ("TRImed", "BRA")
GROUPS = {name: "elbow_extensors" if name.startswith("TRI") else "elbow_flexors" for name in MUSCLES}


PROCESSING = {
    "emg_kind": "raw",
    "emg_normalization": "mvc",
    "emg_filters": [
        {"filter": "Butterworth low-pass", "poles_of_one_pass": 2, "passes": "forward and backward",
         "design_hz": [6.0], "effective_hz": [4.8126]}
    ],
    "kinematics": {"low_pass": None, "differentiation": {"method": "Savitzky-Golay", "degree": 3, "window_s": 0.11}},
}  # fmt: skip


def a_trial(name="curl", *, subject="sub-01", role="test", load=2.0, muscles=MUSCLES, samples=801, truth=True, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(samples) * 0.01
    angle = np.radians(65 - 50 * np.cos(2 * np.pi * (0.3 + 0.02 * seed) * time))[:, None]
    drive = 0.05 + 0.06 * (1 + load) * np.sin(angle / 2) ** 2
    share = np.array([0.25, 0.3, 0.35, 1.0, 0.9, 1.2])[: len(muscles)]
    excitation = drive * share * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time[:, None] + np.arange(len(muscles))))
    noise = np.convolve(rng.normal(size=samples), np.hanning(21) / 21, "same")[:, None]
    surface = np.array([place not in (2, 5) for place in range(len(muscles))])
    moment = 3 + 3.2 * load * np.sin(angle) + 0.1 * noise
    return Trial(
        subject=subject, name=name, role=role, muscles=muscles, coordinates=("r_elbow_flex",), time=time, angle=angle,
        velocity=np.gradient(angle, 0.01, axis=0), acceleration=np.zeros_like(angle), moment=moment,
        emg=np.where(surface, excitation * (1 + 0.3 * noise), np.nan), emg_valid=np.tile(surface, (samples, 1)),
        moment_valid=np.ones_like(moment, bool), truth=np.where(surface, np.nan, excitation) if truth else np.full_like(excitation, np.nan),
        load_kg=load, processing=PROCESSING,
    )  # fmt: skip


def an_answer(trial, *, scale=1.05, width=0.25):
    drive = 0.05 + 0.06 * (1 + trial.load_kg) * np.sin(trial.angle / 2) ** 2
    mean = scale * drive * np.array([0.25, 0.3, 0.35, 1.0, 0.9, 1.2])[: len(trial.muscles)]
    return TrialReconstruction(trial, mean, mean * (1 - width), mean * (1 + width), moment=trial.moment * 0.98)


def an_em(method="nmm", name="BRA", subject="sub-01", **scores):
    values = {
        "r": 0.93,
        "rmse": 0.03,
        "nrmse": 0.1,
        "amplitude_ratio": 1.05,
        "coverage90": 0.84,
        "rmse_scaled": 0.02,
        "lag_ms": 10.0,
    }
    return ScoreRow(
        method, subject, "all", float("nan"), "test", "emg", name, **{**values, "band_width": 0.1, "n": 4000, **scores}
    )


def a_moment(r2=0.97, subject="sub-01", role="test", method="nmm"):
    return ScoreRow(
        method, subject, "all", float("nan"), role, "moment", "r_elbow_flex", r=0.99, rmse=0.8, nrmse=0.05, r2=r2
    )


def some_parameters():
    rows = []
    for k, muscle in enumerate(MUSCLES):
        rows += [
            ParameterRow(muscle, "max_isometric_force", "N", 624.3, 624.3 * (0.9 + 0.08 * k), 312.2, 1560.8, 60 + 20 * k, 120),
            ParameterRow(muscle, "optimal_fiber_length", "m", 0.1138, 0.1138 * (1.04 - 0.01 * k), 0.0967, 0.1309, 0.003, 0.006),
            ParameterRow(muscle, "tendon_slack_length", "m", 0.0908, 0.1044 if k == 5 else 0.0915, 0.0772, 0.1044, 0.002, 0.003),
            ParameterRow(muscle, "pennation_at_optimal", "rad", 0.0 if k > 2 else 0.157, 0.02 if k > 2 else 0.16, 0.0, 0.35, 0.02, 0.02),
            ParameterRow(muscle, "electromechanical_delay", "s", 0.06, 0.048, 0.0, 0.125, 0.006, 0.02),
        ]  # fmt: skip
    return (*rows, ParameterRow("", "activation_time_constant", "s", 0.015, 0.017, 0.0075, 0.035, 0.002, 0.005))


def some_training(members=5):
    steps = list(range(0, 400, 2))
    terms = {"emg": 40.0, "moment": 90.0, "group": 8.0, "effort": 2.0, "parameter_prior": 1.0}
    return tuple(
        TrainingCurve(
            steps, {name: [top * (0.05 + np.exp(-s / (30 + 5 * m))) for s in steps] for name, top in terms.items()}
        )
        for m in range(members)
    )


def a_subject(name="sub-01", *, trials=18, muscles=MUSCLES, truth=True, samples=801, prefix=""):
    made = [
        a_trial(f"{prefix}load{2 * (k // 6)}_{k % 6 + 1:02d}", subject=name, role="test" if k % 6 in (3, 5) else "fit", load=2.0 * (k // 6),
                muscles=muscles, truth=truth, samples=samples, seed=k)
        for k in range(trials)
    ]  # fmt: skip
    ours = Reconstruction(
        "nmm",
        name,
        tuple(an_answer(t) for t in made),
        (Flag("prior_only", name, muscles[2], "posterior sd 0.95 of the prior's"),),
    )
    copy = Reconstruction("copy", name, tuple(an_answer(t, scale=0.8, width=0.0) for t in made))
    quality = (
        QualityRow(made[0].name, "BIClong", "hum", 0.31, 0.1, "warning"),
        QualityRow(made[0].name, "TRIlat", "flat", 0.0, 0.5, "ok"),
    )
    return SubjectContent(ours, (copy,), some_parameters(), some_training(), quality)


def met_with_a_prior(name="sub-01", **options):
    """Return a person whom a learned prior met: nothing was trained on him."""
    level = ParameterRow("BRA", "excitation_level", "log ratio", 0.0, 0.0, -0.9, 0.9, 0.1, 0.3)
    return replace(
        a_subject(name, **options),
        training=(),
        parameters=(*some_parameters(), level),
        decided=(DecidedRow("TRImed", 0.69, 0.39, 0.58, 0.37, 0.59, 0.33), DecidedRow("BRA", 0.76, 0.38, 0.64, 0.2, 0.52, 0.15)),
        trade_offs=(TradeOff("BRA max_isometric_force", "BRA excitation level", -0.95),),
    )  # fmt: skip


def a_scorecard(names=("sub-01",), deep=DEEP, trials=18):
    rows = []
    for name in names:
        for method, worse in (("nmm", 1.0), ("copy", 1.4), ("static_optimization", 2.0)):
            for muscle, r in zip(deep, (0.66, 0.93), strict=True):
                row = an_em(
                    method,
                    muscle,
                    name,
                    r=r / worse**0.3,
                    rmse=0.03 * worse,
                    coverage90=0.84 if method == "nmm" else float("nan"),
                )
                rows += [row, *(replace(row, trial="load", load_kg=load) for load in (0.0, 2.0, 4.0))]
                if method == "nmm":
                    rows += [
                        replace(row, trial=f"load{2 * (k // 6)}_{k % 6 + 1:02d}", r=r - 0.01 * k, role="fit")
                        for k in range(trials)
                    ]
            rows.append(a_moment(0.97, name, method=method))
    return Scorecard(tuple(rows))


def a_page(names=("sub-01",), **options):
    problem = Problem(
        "warning",
        "nRows is 800, but there are 801 rows",
        file="sub-01/curl/emg.sto",
        line=3,
        remedy="Correct the header",
    )
    manifest = {
        "version": "0.1.0", "seed": 0, "seconds": 41.2, "libraries": {"python": "3.11.2", "jax": "0.10.2", "numpy": "2.4.6"},
        "digests": {"sub-01/curl/emg.sto": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    }  # fmt: skip
    given = {
        "scorecard": a_scorecard(names),
        "groups": GROUPS,
        "problems": (problem,),
        "provenance": manifest,
        "settings": FitSettings(),
    }
    subjects = options.pop("subjects", None) or tuple(a_subject(name) for name in names)
    return PageContent("Deep-muscle envelopes", "elbow curls", subjects, **{**given, **options})
