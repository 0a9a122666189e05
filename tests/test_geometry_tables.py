"""A study without a model brings tables of lengths and moment arms: they are held against each other, and followed by smooth paths."""

from pathlib import Path

import numpy as np
import pytest

from profundus.cli.checking import checked
from profundus.errors import FileFormatError, InputError
from profundus.io.anatomy_file import ANATOMY, write_anatomy_file
from profundus.io.muscle_table import read_muscle_table
from profundus.io.run_directory import RunDirectory
from profundus.io.study_file import check_study, read_settings, read_study
from profundus.io.study_model import outline_of
from profundus.io.study_path_tables import sampled
from profundus.io.tables import read_table, write_table
from profundus.protocols.exporting import export_run
from profundus.protocols.models import anatomy_of, model_of
from profundus.protocols.recordings import recorded
from profundus.records import Table

EXAMPLE = Path(__file__).parents[1] / "examples" / "gait_cycles" / "study.toml"
MUSCLES = ("soleus_l", "gastroc_l", "vasti_l")
CSV = """\
# published numbers [N, m, m, rad]
muscle,max_isometric_force,optimal_fiber_length,tendon_slack_length,pennation
soleus_l,3500,0.05,0.25,0.4
gastroc_l,1500,0.06,0.38,0.3
vasti_l,4000,0.1,0.2,0.1
"""
STUDY = """\
[study]
name = "steps"
model = "a leg"
muscle_parameters = "muscles.csv"
coordinates = ["knee", "ankle"]
measured = ["soleus_l", "vasti_l"]
deep = ["gastroc_l"]
[kinematics]
angle_unit = "rad"
[geometry]
lengths = "{subject}/{trial}_Length.sto"
[geometry.moment_arms]
knee = "{subject}/{trial}_MomentArm_knee.sto"
ankle = "{subject}/{trial}_MomentArm_ankle.sto"
[emg]
kind = "envelope"
normalization = "none"
[[subject]]
id = "a"
"""
TRIAL = """\
[[subject.trial]]
name = "{name}"
kinematics = "{name}_ik.mot"
emg = "{name}_emg.sto"
moments = "{name}_id.sto"
role = "fit"
"""
TRIALS = ("one", "two", "three")


def paths(knee, ankle):
    """Return lengths (time, muscle) and arms (time, coordinate, muscle) in closed form; the gastrocnemius owes a part to both together."""
    zero = np.zeros_like(knee)
    length = [
        0.30 + 0.04 * ankle + 0.01 * ankle**2,
        0.45 - 0.02 * knee + 0.04 * ankle + 0.005 * knee * ankle,
        0.3 + 0.04 * np.sin(knee),
    ]
    about_knee = [zero, -0.02 + 0.005 * ankle, 0.04 * np.cos(knee)]
    about_ankle = [0.04 + 0.02 * ankle, 0.04 + 0.005 * knee, zero]
    return np.column_stack(length), -np.stack([np.column_stack(about_knee), np.column_stack(about_ankle)], axis=1)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a folder with a sound study of three trials."""
    monkeypatch.delenv("PROFUNDUS_DATA", raising=False)
    monkeypatch.setenv("PROFUNDUS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "muscles.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "a").mkdir()
    clock = np.arange(301) / 100
    for at, name in enumerate(TRIALS):
        knee = 0.6 + (0.5 + 0.03 * at) * np.sin(2 * np.pi * clock)
        ankle = 0.1 + 0.25 * np.sin(4 * np.pi * clock + 0.5 + 0.1 * at)
        length, arm = paths(knee, ankle)
        write_table(Table(("knee", "ankle"), clock, np.column_stack([knee, ankle])), tmp_path / f"{name}_ik.mot")
        write_table(
            Table(("knee_moment", "ankle_moment"), clock, 20 * np.column_stack([knee, ankle])),
            tmp_path / f"{name}_id.sto",
        )
        write_table(
            Table(("soleus_l", "vasti_l"), clock, 0.3 + 0.1 * np.column_stack([knee, ankle])),
            tmp_path / f"{name}_emg.sto",
        )
        write_table(Table(MUSCLES, clock, length), tmp_path / "a" / f"{name}_Length.sto")
        for column, about in enumerate(("knee", "ankle")):
            write_table(Table(MUSCLES, clock, arm[:, column]), tmp_path / "a" / f"{name}_MomentArm_{about}.sto")
    return tmp_path


def written(lab, *changes):
    text = STUDY + "".join(TRIAL.format(name=name) for name in TRIALS)
    for given, instead in changes:
        assert given in text
        text = text.replace(given, instead)
    (lab / "study.toml").write_text(text, encoding="utf-8")
    return lab / "study.toml"


def changed(lab, name, how):
    """Change a table of every trial: ``how`` takes labels and values and returns both."""
    for trial in TRIALS:
        file = lab / name.format(trial=trial)
        table = read_table(file)
        labels, values = how(table.labels, table.values)
        write_table(Table(tuple(labels), table.time, values), file)


def errors(lab, *changes):
    study, problems = check_study(written(lab, *changes))
    assert study is None
    return [problem for problem in problems if problem.severity == "error"]


def test_paths_follow_the_closed_form_between_the_recorded_postures(lab):
    anatomy, model = model_of(read_study(written(lab)))
    assert anatomy.muscles == MUSCLES
    knee, ankle = np.linspace(0.2, 1.0, 9), np.linspace(-0.05, 0.25, 9)[::-1]
    angle = np.column_stack([knee, ankle])
    length, arm = paths(knee, ankle)
    np.testing.assert_allclose(np.asarray(model.path_length(angle)), length, atol=2e-4)
    np.testing.assert_allclose(np.asarray(model.moment_arms(angle)), arm, atol=1e-3)


def test_every_muscle_tells_its_error_about_every_coordinate_that_it_crosses(lab):
    fits = anatomy_of(read_study(written(lab))).path_fits
    crossed = {(fit.muscle, fit.coordinate) for fit in fits}
    assert crossed == {("soleus_l", "ankle"), ("gastroc_l", "knee"), ("gastroc_l", "ankle"), ("vasti_l", "knee")}
    assert all(0 < fit.worst_length_error < 0.2 for fit in fits)


def test_errors_are_those_of_trials_left_out(lab):
    sound = {fit.muscle: fit.worst_length_error for fit in anatomy_of(read_study(written(lab))).path_fits}
    assert sound["soleus_l"] < 0.2
    file = lab / "a" / "three_Length.sto"
    table = read_table(file)
    write_table(Table(table.labels, table.time, table.values + np.array([0.02, 0.0, 0.0])), file)  # of another person
    with pytest.raises(InputError, match="the path of soleus_l over ankle cannot be followed") as refused:
        anatomy_of(read_study(written(lab)))
    (problem,) = refused.value.problems
    worst = float(problem.what.split("off by up to ")[1].split(" mm")[0])
    assert worst == pytest.approx(20.0, abs=1.0)


def test_muscles_are_grouped_by_what_they_do_unless_the_table_says_otherwise(lab):
    assert anatomy_of(read_study(written(lab))).groups == ("ankle_negative", "ankle_negative", "knee_negative")
    grouped = [
        line + (",group" if line[0] == "m" else ",calf" if "vasti" not in line else ",")
        for line in CSV.splitlines()[1:]
    ]
    (lab / "muscles.csv").write_text("\n".join(grouped), encoding="utf-8")
    study = read_study(written(lab))
    assert anatomy_of(study).groups == ("calf", "calf", "knee_negative")
    assert outline_of(study).groups == ("calf", "calf", "")


def test_check_tells_of_a_path_that_cannot_be_followed(lab):
    assert checked(written(lab)).exit_code == 0
    jump = np.r_[np.zeros(150), np.full(151, 4e-3)]
    changed(lab, "a/{trial}_Length.sto", lambda labels, values: (labels, values + np.outer(jump, [0, 0, 1])))
    outcome = checked(written(lab, ("[geometry]\n", "[geometry]\nallow_mm = 3.5\n")))
    assert outcome.exit_code == 2
    assert any("vasti_l" in problem.what for problem in outcome.facts["problems"])


def test_a_run_keeps_what_was_fitted_and_needs_no_tables(lab):
    study = read_study(written(lab))
    run = lab / "run"
    run.mkdir()
    write_anatomy_file(anatomy_of(study), run / ANATOMY)
    (run / "study.toml").write_text((lab / "study.toml").read_text(encoding="utf-8"), encoding="utf-8")
    for file in (lab / "a").iterdir():
        file.unlink()
    (lab / "muscles.csv").unlink()
    assert outline_of(read_settings(run / "study.toml")).muscles == MUSCLES


@pytest.mark.parametrize(
    ("given", "instead", "what", "remedy"),
    [
        ('muscle_parameters = "muscles.csv"\n', "", "muscle_parameters is missing", ".csv"),
        ('"muscles.csv"', '"muscle.csv"', "there is no file 'muscle.csv'", "muscles.csv"),
        ('"muscles.csv"', '"muscles.txt"', "muscles.txt", ""),
        ('model = "a leg"', 'model = "leg.osim"', "leg.osim has paths of its own", "another name"),
        ('lengths = "{subject}/{trial}_Length.sto"\n', "", "geometry.lengths is missing", "{trial}_Length.sto"),
        ("{trial}_Length", "{name}_Length", "placeholder '{name}'", ""),
        ("{subject}/{trial}_Length", "../{trial}_Length", "unsafe path", "--data"),
        ("knee = ", "knee_angle_l = ", "there are no moment arms about knee", "{trial}_MomentArm_knee.sto"),
        ("knee = ", "knee_angle_l = ", "moment arms about knee_angle_l", "Let it move"),
        (
            'measured = ["soleus_l", "vasti_l"]',
            'measured = ["soleus_l"]',
            "neither measured nor deep nor ignored: vasti_l",
            "",
        ),
        (
            'coordinates = ["knee", "ankle"]',
            'coordinates = ["ankle"]',
            "moment arms about knee, which is no",
            "[kinematics] moving",
        ),
    ],
)
def test_a_mistake_of_the_study_file_is_told_with_its_remedy(lab, given, instead, what, remedy):
    found = [problem for problem in errors(lab, (given, instead)) if what in problem.what and remedy in problem.remedy]
    assert found, "\n".join(map(str, errors(lab, (given, instead))))


def test_without_tables_a_mere_name_is_refused_with_what_it_would_need(lab):
    text = STUDY[: STUDY.index("[geometry]")] + STUDY[STUDY.index("[emg]") :] + TRIAL.format(name="one")
    (lab / "study.toml").write_text(text.replace('muscle_parameters = "muscles.csv"\n', ""), encoding="utf-8")
    _, problems = check_study(lab / "study.toml")
    (problem,) = [p for p in problems if "there is no model 'a leg'" in p.what]
    assert "[geometry] lengths and moment_arms" in problem.expected


def test_lengths_in_millimeters_are_refused(lab):
    changed(lab, "a/{trial}_Length.sto", lambda labels, values: (labels, 1000 * values))
    found = errors(lab)
    assert len(found) == len(TRIALS)
    assert all("in mm?" in problem.remedy for problem in found)


def test_a_table_of_the_other_leg_is_told_once(lab):
    changed(
        lab, "a/{trial}_MomentArm_ankle.sto", lambda labels, values: ([n.replace("_l", "_r") for n in labels], values)
    )
    found = errors(lab)
    assert len(found) == len(TRIALS)
    assert all("table of the right leg: it has soleus_r, not soleus_l" in problem.what for problem in found)


def test_a_missing_muscle_is_told_with_the_nearest_name(lab):
    changed(lab, "a/{trial}_Length.sto", lambda labels, values: (["soleus_l", "gastro_l", "vasti_l"], values))
    assert all("Did you mean 'gastro_l'?" in problem.remedy for problem in errors(lab))


def test_moment_arms_of_the_wrong_sign_are_told_by_coordinate(lab):
    changed(lab, "a/{trial}_MomentArm_knee.sto", lambda labels, values: (labels, -values))
    found = errors(lab)
    assert {Path(problem.file).name for problem in found} == {f"{trial}_MomentArm_knee.sto" for trial in TRIALS}
    assert all("gastroc_l, vasti_l about knee have the wrong sign" in problem.what for problem in found)


def test_tables_of_another_motion_are_told(lab):
    changed(lab, "a/{trial}_Length.sto", lambda labels, values: (labels, np.roll(values, 40, axis=0)))
    assert all("do not explain" in problem.what for problem in errors(lab))


def test_a_crossed_coordinate_that_does_not_move_in_the_study_is_missed(lab):
    found = errors(
        lab,
        ('coordinates = ["knee", "ankle"]', 'coordinates = ["ankle"]'),
        ('knee = "{subject}/{trial}_MomentArm_knee.sto"\n', ""),
    )
    assert all("lengths of gastroc_l, vasti_l change" in problem.what for problem in found)
    assert all("moving under [kinematics]" in problem.remedy for problem in found)


def test_tables_of_another_time_are_told(lab):
    table = read_table(lab / "a" / "one_Length.sto")
    write_table(Table(table.labels, table.time + 100, table.values), lab / "a" / "one_Length.sto")
    (problem,) = errors(lab)
    assert "no stretch of time in common" in problem.what


def test_mistakes_of_all_tables_are_told_at_once(lab):
    changed(lab, "a/{trial}_Length.sto", lambda labels, values: (labels, 1000 * values))
    changed(lab, "a/{trial}_MomentArm_knee.sto", lambda labels, values: (["a", "b", "vasti_l"], values))
    (lab / "a" / "two_MomentArm_ankle.sto").unlink()
    said = "\n".join(map(str, errors(lab)))
    for part in ("in mm?", "for the moment arm of soleus_l", "gastroc_l", "two_MomentArm_ankle.sto"):
        assert part in said


@pytest.mark.parametrize(
    ("given", "instead", "what"),
    [
        ("pennation\n", "penation\n", "there is no column 'pennation'"),
        ("soleus_l,3500,0.05", "soleus_l,3500,50", "soleus_l: optimal_fiber_length is 50"),
        ("0.25,0.4", "0.25,22", "soleus_l: pennation is 22"),
        ("1500", "strong", "gastroc_l: max_isometric_force is 'strong'"),
        ("1500", "nan", "gastroc_l: max_isometric_force is 'nan'"),
        ("gastroc_l", "soleus_l", "soleus_l comes 2 times"),
        ("0.2,0.1", "0.2", "4 cells"),
        ("vasti_l", "<b>", "cannot name a muscle"),
    ],
)
def test_a_wrong_table_of_muscles_is_refused(tmp_path, given, instead, what):
    assert given in CSV
    (tmp_path / "muscles.csv").write_text(CSV.replace(given, instead), encoding="utf-8")
    with pytest.raises(FileFormatError) as refused:
        read_muscle_table(tmp_path / "muscles.csv")
    assert any(what in problem.what for problem in refused.value.problems)


def test_three_gait_cycles_are_followed_within_a_fraction_of_a_millimeter(reference):
    study = read_study(EXAMPLE, data_root=reference / "data" / "gait_cycles")
    anatomy = anatomy_of(study)
    assert len(anatomy.muscles) == 34
    assert max(fit.worst_length_error for fit in anatomy.path_fits) < 0.2
    assert max(fit.worst_arm_error for fit in anatomy.path_fits) < 3.0
    assert np.mean([fit.rms_arm_error for fit in anatomy.path_fits]) < 0.15


def test_check_doubts_no_moment_that_a_fit_would_not_doubt(reference):
    study = read_study(EXAMPLE, data_root=reference / "data" / "gait_cycles")
    found = recorded(study, study.subjects[0], anatomy_of(study)).heard
    said = checked(EXAMPLE, data_root=reference / "data" / "gait_cycles").facts["problems"]
    assert {one.what for one in found if one.severity == "warning"} <= {one.what for one in said}
    assert not [one.what for one in said if "moment sign" in one.what and one not in found]


def test_moment_arms_of_the_gait_cycles_are_those_of_opensims_tables(reference):
    study = read_study(EXAMPLE, data_root=reference / "data" / "gait_cycles")
    anatomy, model = model_of(study)
    posture, length, arm = sampled(study.subjects[0].recordings[0], study.moved, anatomy.muscles)
    np.testing.assert_allclose(np.asarray(model.path_length(posture[::9])), length[::9], atol=5e-5)
    np.testing.assert_allclose(np.asarray(model.moment_arms(posture[::9])), arm[::9], atol=5e-4)


def test_a_run_without_a_model_file_goes_to_opensim_only_with_one(lab):
    written(lab)
    (lab / "run.json").write_text('{"format": "profundus run 1", "subjects": {"a": {}}}', encoding="utf-8")
    (lab / "subjects" / "a").mkdir(parents=True)
    write_anatomy_file(anatomy_of(read_study(lab / "study.toml")), lab / ANATOMY)
    with pytest.raises(InputError, match=r"'a leg' is no model file.*--model"):
        export_run(RunDirectory(lab), lab / "out", subject="a")
    assert not (lab / "out").exists()
