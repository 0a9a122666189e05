"""A model whose paths follow the recorded motion is the same for a cohort, read person by person, as for a study read at once."""

import numpy as np

from profundus.cli.cohort import Lines, described
from profundus.io.study_file import read_study
from profundus.io.study_people import read_outline
from profundus.protocols.cohort_anatomy import cohort_anatomy
from profundus.protocols.cohort_progress import CohortProgress
from profundus.protocols.models import anatomy_of
from test_geometry_tables import TRIAL, lab, written  # noqa: F401  a fixture


def second_person(study):
    """Let the third trial be another person's."""
    text = study.read_text(encoding="utf-8")
    theirs = TRIAL.format(name="three")
    text = text.replace(theirs, '[[subject]]\nid = "b"\n' + theirs)
    study.write_text(text, encoding="utf-8")
    for file in (study.parent / "a").glob("three_*"):
        (study.parent / "b").mkdir(exist_ok=True)
        file.rename(study.parent / "b" / file.name)
    return study


def numbers(anatomy):
    return np.concatenate([array.ravel() for path in anatomy.paths for array in (path.knots, path.coefficients)])


def test_paths_follow_everybodys_motion(lab):  # noqa: F811
    study = second_person(written(lab))
    outline = read_outline(study)
    assert outline.people == ("a", "b")
    together, one_by_one = anatomy_of(read_study(study)), cohort_anatomy(outline)
    np.testing.assert_array_equal(numbers(one_by_one), numbers(together))
    assert one_by_one.groups == together.groups


def test_paths_are_those_of_the_others_where_one_cannot_be_read(lab):  # noqa: F811
    study = second_person(written(lab))
    together = anatomy_of(read_study(study))
    (lab / "three_ik.mot").unlink()
    alone = cohort_anatomy(read_outline(study))
    assert alone.muscles == together.muscles
    assert not np.array_equal(numbers(alone), numbers(together))


def test_a_sheet_holds_one_person_and_his_lines(lab):  # noqa: F811
    study = second_person(written(lab))
    text = study.read_text(encoding="utf-8")
    study.write_text(text + '[[exclude]]\nsubject = "a"\ntrial = "one"\ntime = [0.0, 0.1]\nwhat = "emg"\nwhy = "x"\n')
    outline = read_outline(study)
    his = outline.sheet("b")
    assert [section.id for section in his.file.subject] == ["b"]
    assert his.file.exclude == []
    assert len(outline.sheet("a").file.exclude) == 1
    line = text.splitlines().index('id = "b"')
    assert his.text.line(("subject", 1)) == line
    assert not any(at[:2] == ("subject", 0) for at in his.text.lines)


def test_progress_tells_who_is_left_how_fast_and_until_when(capsys):
    now = CohortProgress("p", 30, 2, 10, 100, per_second=0.5, seconds_left=116.0)
    assert now.remaining == 58
    assert described(now).startswith("30 done, 2 failed, 58 of 100 left, 10 kept; 30.0 a minute, over at ")
    assert described(now).endswith("(in 116 s)")
    lines = Lines()
    lines(now)
    lines(now)
    assert capsys.readouterr().err.count("\n") == 1
