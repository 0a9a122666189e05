"""Raw EMG of known processing comes out as the envelopes that were made from it."""

import numpy as np
import pandas as pd
import pytest

from profundus.records import EmgSettings, Recording, Study, Subject, Table
from profundus.signal import assemble_trials, quality_problems, quality_table
from profundus.signal.envelopes import envelope

MEASURED = ("TRIlong", "TRIlat", "BIClong", "BICshort")
MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
TRIALS = ("load0_02_cyclic", "load2_02_cyclic", "load4_02_cyclic")


def columns(path):
    """Read a clean OpenSim table: labels, time, values."""
    lines = path.read_text().splitlines()
    top = lines.index("endheader")
    numbers = np.loadtxt(lines[top + 2 :])
    return tuple(lines[top + 1].split()[1:]), numbers[:, 0].copy(), numbers[:, 1:].copy()


def volts(path):
    with np.load(path, allow_pickle=False) as file:
        values = file["volts"].astype(float).T.copy()
        return Table(tuple(map(str, file["muscles"])), np.arange(len(values)) / float(file["rate_hz"]), values)


@pytest.mark.parametrize("person", ["S100", "S101"])
def test_raw_emg_of_a_virtual_subject_becomes_its_published_envelopes(reference, person):
    folder = reference / "data" / "virtual_elbow" / person
    recordings = []
    for name in TRIALS:
        _, time, degrees = columns(folder / name / "kinematics.mot")
        angle = Table(("r_elbow_flex",), time, np.deg2rad(degrees[:, 1:]))
        recordings.append(Recording(name, "fit", angle, volts(folder / name / "raw_emg.npz")))
    subject = Subject(person, tuple(recordings), mvc=(volts(folder / "mvc_raw_emg.npz"),))
    settings = EmgSettings("raw", "mvc")
    study = Study("v", "arm26", ("r_elbow_flex",), MEASURED, ("BRA", "TRImed"), settings, (subject,))
    for trial in assemble_trials(study, subject, MUSCLES):
        labels, time, published = columns(folder / trial.name / "emg.sto")
        assert labels == MEASURED
        rows = np.isin(np.rint(time * 100), np.rint(trial.time * 100))
        difference = trial.emg[:, trial.measured] - published[rows]
        assert np.sqrt(np.mean(difference**2, axis=0)).max() < 0.003  # the recording was cropped after it was filtered
        assert np.abs(difference[30:-30]).max() < 2e-5
    problems = quality_problems(quality_table(assemble_trials(study, subject, MUSCLES), subject), person)
    assert [p.what.split(": ")[1:2] + p.what.split(": ")[2].split(" 0.")[:1] for p in problems] == [
        ["TRIlat", "movement artefact"]  # the README speaks of rare artefacts: one trial of each of the two has one
    ]


def test_box_lift_gives_an_envelope_that_follows_its_own_raw_emg(reference):
    path = reference / "data" / "box_lifting" / "analogs_2000hz.csv.gz"
    frame = pd.read_csv(path)
    named = {c: c for c in frame.columns if "Biceps" in c or "Triceps" in c}
    time = np.arange(len(frame)) / 2000.0
    table = Table(tuple(named), time, frame[list(named)].to_numpy(dtype=float))
    found = envelope(table, EmgSettings("raw", "none"), what="lift")
    for label in table.labels:
        centered = np.abs(table[label] - table[label].mean())
        coarse = pd.Series(centered).rolling(200, center=True).mean().to_numpy()
        known = np.isfinite(coarse)
        assert np.corrcoef(coarse[known], found.table[label][known])[0, 1] > 0.98
        assert found.table[label].mean() == pytest.approx(centered.mean(), rel=0.15)
