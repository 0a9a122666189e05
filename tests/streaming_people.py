"""A person of whom a run says what is known beforehand: one deep muscle follows two measured ones and the posture."""

from pathlib import Path

import numpy as np

from cli_study import ELBOW, TRIAL
from profundus.io.run_directory import start_run
from profundus.records import Reconstruction, Trial, TrialReconstruction
from profundus.stream.live import Frame

STEP = 0.01
MUSCLES, MEASURED = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA"), [0, 1, 3, 4]
BAND_SD = 0.1
SCALE = {"emg_scale": {"maximum": {MUSCLES[i]: 1.0 for i in MEASURED}, "normalization": "mvc"}}


def person(*, trials=6, seconds=6.0, joints=1, noise=0.02, load=True) -> Reconstruction:
    """Return a run's answer; BRA is 0.8 BIClong^0.7 BICshort^0.2 exp(0.3 (angle - 1)) and TRImed half of TRIlong, with noise in logs."""
    parts = [
        _part(i, seconds=seconds, joints=joints, noise=noise, load_kg=1.0 + i % 2 if load else np.nan)
        for i in range(trials)
    ]
    return Reconstruction("nmm", "sub-01", tuple(parts))


def _part(number, *, seconds, joints, noise, load_kg) -> TrialReconstruction:
    chance = np.random.default_rng(number)
    time = STEP * np.arange(round(seconds / STEP))
    phases = chance.uniform(0, 6, (2, joints))
    angle = (
        1.0 + 0.6 * np.sin(2 * np.pi * 0.4 * time[:, None] + phases[0]) + 0.1 * np.sin(5 * time[:, None] + phases[1])
    )
    velocity = np.gradient(angle, STEP, axis=0)
    waves = chance.uniform(0, 6, (3, 4))
    drive = sum(
        np.sin(2 * np.pi * hz * time[:, None] + phase) for hz, phase in zip((0.3, 0.7, 1.1), waves, strict=True)
    )
    emg = np.full((len(time), 6), np.nan)
    emg[:, MEASURED] = 0.15 * np.exp(0.25 * drive)
    truth = emg.copy()
    truth[:, 5] = 0.8 * emg[:, 3] ** 0.7 * emg[:, 4] ** 0.2 * np.exp(0.3 * (angle[:, 0] - 1.0))
    truth[:, 2] = 0.5 * emg[:, 0]
    answer = truth * np.exp(chance.normal(0.0, noise, truth.shape))
    nothing = np.full(angle.shape, np.nan)
    role = "test" if number % 3 == 2 else "fit"
    coordinates = ("r_elbow_flex", "r_shoulder_elev", "third")[:joints]
    trial = Trial(
        "sub-01", f"trial_{number}", role, MUSCLES, coordinates, time, angle, velocity, np.gradient(velocity, STEP, axis=0),
        emg, np.isfinite(emg), nothing, np.isfinite(nothing), truth, load_kg,
    )  # fmt: skip
    half = np.exp(1.6448536269514722 * BAND_SD)
    return TrialReconstruction(trial, answer, answer / half, answer * half)


def frames(trial: Trial, emg=None) -> list[Frame]:
    """Return a trial's samples as frames, with other envelopes (time, measured) where they are given."""
    emg = trial.emg[:, MEASURED] if emg is None else emg
    return [Frame(*row) for row in zip(trial.time.tolist(), emg, trial.angle, strict=True)]


def run_of_a_person(folder: Path) -> Path:
    """Write `person` as a finished run with its study, and return the run's folder."""
    answer = person()
    study = folder / "study.toml"
    tables = [
        TRIAL.format(table="subject.trial", name=p.trial.name, load_kg=1, role=p.trial.role) for p in answer.trials
    ]
    study.write_text(ELBOW + '\n[[subject]]\nid = "sub-01"\n' + "".join(tables), encoding="utf-8")
    made = start_run(folder / "run", {"seed": 0}, study_file=study)
    made.write_subject(answer, network=({"nothing": np.zeros(1)}, SCALE))
    made.finish()
    return made.path
