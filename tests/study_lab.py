"""A sound study of four trials on disk, and what the check of a study says of it."""

import numpy as np
import pytest

from profundus.io.study_file import check_study
from profundus.io.tables import write_table
from profundus.records.table import Table

HEAD = """\
[study]
name = "curls"
model = "arm26"
coordinates = ["r_elbow_flex"]
measured = ["TRIlong", "TRIlat", "BIClong", "BICshort"]
deep = ["BRA", "TRImed"]

[emg]
kind = "envelope"
normalization = "mvc"
"""
TRIAL = """
[[subject.trial]]
name = "{name}"
load_kg = {load}
kinematics = "motion.mot"
emg = "emg.sto"
moments = "moments.sto"
role = "{role}"
"""
BODY = '\n[[subject]]\nid = "sub-01"\n' + "".join(
    TRIAL.format(name=f"curl_{load}_{role}", load=load, role=role) for load in (0, 2) for role in ("fit", "test")
)
STUDY = HEAD + BODY
CLOCK = np.arange(401) / 100
ELBOW = 60 + 50 * np.sin(2 * np.pi * 0.5 * CLOCK)
MUSCLES = ("TRIlong", "TRIlat", "BIClong", "BICshort")


def write(path, labels, *columns, time=CLOCK, in_degrees=False):
    values = np.column_stack(columns)
    write_table(Table(tuple(labels), time, values, in_degrees=in_degrees), path)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a folder with a sound study of four trials."""
    monkeypatch.delenv("PROFUNDUS_DATA", raising=False)
    write(tmp_path / "motion.mot", ["r_shoulder_elev", "r_elbow_flex"], 0 * ELBOW, ELBOW, in_degrees=True)
    write(tmp_path / "emg.sto", MUSCLES, *[np.full(len(CLOCK), 0.1 * n) for n in (1, 2, 3, 4)])
    write(tmp_path / "moments.sto", ["r_elbow_flex_moment"], 5 + ELBOW / 100)
    return tmp_path


def check(lab, text=STUDY, **options):
    path = lab / "study.toml"
    path.write_text(text, encoding="utf-8")
    return check_study(path, **options)


def errors(lab, text, **options):
    study, problems = check(lab, text, **options)
    found = [problem for problem in problems if problem.severity == "error"]
    assert (study is None) == bool(found)
    return found


def only_error(lab, text, **options):
    found = errors(lab, text, **options)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def warnings(lab, text):
    study, problems = check(lab, text)
    assert study is not None, "\n".join(map(str, problems))
    return "\n".join(str(problem) for problem in problems)


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)


def saved(lab):
    (lab / "study.toml").write_text(STUDY, encoding="utf-8")
    return lab / "study.toml"
