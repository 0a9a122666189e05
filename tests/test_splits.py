"""Splits under which nothing that is judged was learned from, and the words in which they are asked for."""

from dataclasses import replace

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.records import EmgSettings, Recording, Study, Subject, Table
from profundus.validate import splits

LOADS = (0.0, 2.0, 4.0)
MOTIONS = ("cyclic", "cyclic", "cyclic", "cyclic", "steps", "pulses")


def table(label, seed, source=""):
    chance = np.random.default_rng(seed)
    return Table((label,), np.arange(100) / 100.0, chance.normal(size=(100, 1)), source=source)


def recording(name, seed, *, load_kg=2.0, motion="cyclic", role="fit", **changes):
    parts = {
        "angles": table("r_elbow_flex", [seed, 0]),
        "emg": table("BIClong", [seed, 1]),
        "moments": table("r_elbow_flex", [seed, 2]),
    }
    return Recording(name, role, **{**parts, "load_kg": load_kg, "motion": motion} | changes)


def person(name, number=0):
    """Six trials a load; the fourth curl and the pulses are to be judged."""
    return Subject(
        name,
        tuple(
            recording(
                f"load{load:g}_{i + 1}", 1000 * number + 10 * int(load) + i, load_kg=load, motion=motion,
                role="test" if i in (3, 5) else "fit",
            )
            for load in LOADS
            for i, motion in enumerate(MOTIONS)
        ),
    )  # fmt: skip


def study(*people):
    people = people or (person("S1", 1), person("S2", 2), person("S3", 3))
    emg = EmgSettings("envelope", "mvc")
    return Study("curls", "arm26", ("r_elbow_flex",), ("BIClong",), ("BRA",), emg, people, source="study.toml")


def judged(given, index=0):
    return [r for r in given.subjects[index].recordings if r.role == "test"]


def changed(given, change, index=0):
    """Return the study with every recording of one person changed."""
    people = list(given.subjects)
    people[index] = replace(people[index], recordings=tuple(map(change, people[index].recordings)))
    return replace(given, subjects=tuple(people))


def refusal(split):
    with pytest.raises(InputError) as caught:
        split()
    return [str(problem) for problem in caught.value.problems]


def test_roles_are_those_of_the_file():
    given = study()
    assert splits.by_role(given) is given


def test_a_load_is_judged_by_those_who_learned_all_others():
    parted = splits.by_load(study(), test=2.0)
    for who in parted.subjects:
        assert {r.load_kg for r in who.recordings if r.role == "test"} == {2.0}
        assert {r.load_kg for r in who.recordings if r.role == "fit"} == {0.0, 4.0}
        assert len(who.recordings) == 18


def test_a_motion_is_judged_by_those_who_learned_all_others():
    parted = splits.by_motion(study(), test="pulses")
    assert [r.motion for r in judged(parted)] == ["pulses"] * 3
    assert "pulses" not in {r.motion for r in parted.subjects[1].recordings if r.role == "fit"}


def test_named_trials_are_judged_in_everybody():
    parted = splits.by_trial(study(), test=["load0_1", "load4_6"])
    assert all([r.name for r in judged(parted, i)] == ["load0_1", "load4_6"] for i in range(3))


@pytest.mark.parametrize("of", [2, 3, 5, 18])
def test_every_trial_is_judged_in_exactly_one_fold(of):
    folds = [splits.by_fold(study(), fold=fold, of=of) for fold in range(1, of + 1)]
    for who in range(3):
        names = [r.name for fold in folds for r in judged(fold, who)]
        assert sorted(names) == sorted(r.name for r in study().subjects[who].recordings)


def test_every_fold_has_its_share_of_each_load_and_motion():
    for fold in (1, 2, 3):
        those = judged(splits.by_fold(study(), fold=fold, of=3))
        assert [sum(r.load_kg == load for r in those) for load in LOADS] == [2, 2, 2]
    halves = [judged(splits.by_fold(study(), fold=fold, of=2)) for fold in (1, 2)]
    assert all(sum(r.motion == "cyclic" for r in half) == 6 for half in halves)


def test_trials_of_unknown_load_are_dealt_out_as_one_more_load():
    given = changed(study(), lambda r: replace(r, load_kg=np.nan if r.load_kg == 2 else r.load_kg))
    those = judged(splits.by_fold(given, fold=2, of=3))
    assert sorted(r.load_kg for r in those if r.load_kg == r.load_kg) == [0, 0, 4, 4]
    assert len(those) == 6


def test_people_are_parted_and_keep_their_roles():
    learned, tested = splits.by_subject(study(), test=["S2"])
    assert [who.id for who in learned.subjects] == ["S1", "S3"]
    assert [who.id for who in tested.subjects] == ["S2"]
    assert [r.role for r in tested.subjects[0].recordings] == [r.role for r in study().subjects[1].recordings]


def test_a_person_without_a_trial_on_both_sides_is_named():
    given = study(person("S1", 1), replace(person("S2", 2), recordings=person("S2", 2).recordings[:6]))
    assert refusal(lambda: splits.by_load(given, test=0.0)) == [
        "study.toml: subject S2: no trial is left to learn from."
    ]
    assert refusal(lambda: splits.by_load(given, test=4.0)) == [
        "study.toml: subject S2: no trial is left to be judged by. Record one, or choose another split."
    ]
    alone = study(replace(person("S1", 1), recordings=(recording("one", 1),)))
    assert "S1: no trial is left to learn from" in refusal(lambda: splits.by_fold(alone, fold=1, of=2))[0]
    nobody = study(Subject("S9", ()))
    assert len(refusal(lambda: splits.by_role(nobody))) == 2


def test_a_person_whose_moments_are_all_judged_is_named():
    given = changed(study(), lambda r: r if r.motion == "pulses" else replace(r, moments=None), index=2)
    assert refusal(lambda: splits.by_motion(given, test="pulses")) == [
        "study.toml: subject S3: no trial to learn from has a moment."
    ]


def test_trials_that_may_belong_to_either_side_are_named():
    given = changed(study(), lambda r: replace(r, load_kg=np.nan, motion="") if r.name == "load0_1" else r)
    for said in (
        refusal(lambda: splits.by_load(given, test=2.0)),
        refusal(lambda: splits.by_motion(given, test="pulses")),
    ):
        assert len(said) == 1
        assert "S1" in said[0]
        assert "load0_1" in said[0]


def test_what_there_is_not_is_told_with_what_there_is():
    assert "one of 0 kg, 2 kg, 4 kg" in refusal(lambda: splits.by_load(study(), test=3.0))[0]
    assert "one of cyclic, pulses, steps" in refusal(lambda: splits.by_motion(study(), test="walk"))[0]
    assert len(refusal(lambda: splits.by_trial(study(), test=["load0_1", "a", "b", "a"]))) == 2
    assert "one of S1, S2, S3" in refusal(lambda: splits.by_subject(study(), test=["S1", "S7"]))[0]
    assert "nobody is judged" in refusal(lambda: splits.by_subject(study(), test=[]))[0]
    assert "nobody is left" in refusal(lambda: splits.by_subject(study(), test=["S1", "S2", "S3"]))[0]
    for fold, of in ((0, 3), (4, 3), (1, 1), (1, 0)):
        assert "no part" in refusal(lambda: splits.by_fold(study(), fold=fold, of=of))[0]  # noqa: B023


def leaking(copied, **changes):
    """A study in which a test trial takes over a table of a fit trial."""
    given = study()
    source = given.subjects[0].recordings[0]
    parts = {key: getattr(source, key) for key in copied}
    return changed(given, lambda r: replace(r, **parts, **changes) if r.name == "load2_4" else r)


@pytest.mark.parametrize("copied", ["emg", "angles", "moments"])
def test_the_same_numbers_on_both_sides_are_refused_whatever_their_file_is_called(copied):
    (said,) = refusal(lambda: splits.by_role(leaking([copied])))
    assert "S1: load0_1 is learned from and S1: load2_4 judged" in said


def test_the_same_file_on_both_sides_is_refused_though_other_columns_are_read():
    given = study()
    named = {"load0_1": table("BIClong", 77, "a.sto"), "load2_4": table("BIClong", 78, "a.sto")}
    given = changed(given, lambda r: replace(r, emg=named[r.name]) if r.name in named else r)
    (said,) = refusal(lambda: splits.by_role(given))
    assert said.startswith("a.sto: ")


def test_one_leak_is_told_once_and_every_leak_is_told():
    assert len(refusal(lambda: splits.by_role(leaking(["emg", "angles", "moments"])))) == 1
    assert len(refusal(lambda: splits.by_role(changed(study(), lambda r: replace(r, emg=table("BIClong", 5)))))) == 72


@pytest.mark.parametrize(("window", "sound"), [((0.5, 1.0), True), ((0.4, 1.0), False), (None, False)])
def test_windows_of_one_recording_may_touch_but_not_overlap(window, sound):
    given = leaking(["emg", "angles", "moments"], time=window)
    given = changed(given, lambda r: replace(r, time=(0.0, 0.5)) if r.name == "load0_1" else r)
    if sound:
        assert splits.by_role(given) is given
    else:
        assert len(refusal(lambda: splits.by_role(given))) == 1


def test_one_recording_in_one_role_is_no_leak():
    given = changed(study(), lambda r: replace(r, emg=table("BIClong", 5)) if r.role == "fit" else r)
    assert splits.by_role(given) is given


def test_a_recording_of_one_person_that_comes_again_in_another_is_refused():
    given = study()
    taken = given.subjects[0].recordings[0].emg
    given = changed(given, lambda r: replace(r, emg=taken) if r.name == "load4_1" else r, index=1)
    assert splits.by_role(given) is given  # both are learned from
    (said,) = refusal(lambda: splits.by_subject(given, test=["S2"]))
    assert "S1: load0_1 is learned from and S2: load4_1 judged" in said


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("roles", 6),
        ("load:2", 6),
        ("load: 4.0", 6),
        ("motion:steps", 3),
        ("trial:1/3", 6),
        ("trial: 2 / 9", 2),
        ("trial:load0_1,load2_2", 2),
    ],
)
def test_a_line_of_text_parts_the_trials_of_everybody(text, count):
    learned, tested = splits.split_from(text)(study())
    assert learned is tested
    assert [len(judged(tested, i)) for i in range(3)] == [count] * 3


def test_a_line_of_text_parts_people():
    learned, tested = splits.split_from("subject:S1, S3")(study())
    assert [who.id for who in learned.subjects] == ["S2"]
    assert [who.id for who in tested.subjects] == ["S1", "S3"]


@pytest.mark.parametrize(
    "text",
    [
        "", "role", "roles:", "roles:x", "load", "load:", "load:two", "load:nan", "load:-1", "load:inf", "motion:",
        "motion:a,b", "trial:", "trial:0/3", "trial:4/3", "trial:1/1", "trial:1/", "trial:a/b", "trial:1/2/3", "trial:²/3",
        "subject:", "subject:,", "person:S1", "load=2",
    ],
)  # fmt: skip
def test_any_other_text_is_refused_with_what_is_known(text):
    with pytest.raises(InputError, match=r"is no split\. Expected roles, load:2, motion:pulses"):
        splits.split_from(text)


def test_the_virtual_elbow_can_be_parted_in_every_way(reference):
    from profundus.io.study_file import read_study

    given = read_study(reference / "data" / "virtual_elbow" / "study.toml")
    for text in ("roles", "load:2", "trial:1/3"):
        _, tested = splits.split_from(text)(given)
        assert [len(judged(tested, i)) for i in range(13)] == [6] * 13
    learned, tested = splits.split_from("subject:S100,S101")(given)
    assert (len(learned.subjects), len(tested.subjects)) == (11, 2)
    assert len(refusal(lambda: splits.by_motion(given, test="pulses"))) == 14
