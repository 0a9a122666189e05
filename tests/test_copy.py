"""The copy of the nearest muscle chooses by the model alone, and is as good as it is known to be."""

from dataclasses import replace

import numpy as np
import pytest

from answers import MUSCLES, trial
from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.io.tables import read_table
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import Trial
from profundus.rivals.copy import copy_best, copy_group, copy_nearest, nearest
from profundus.validate.scores import score


@pytest.fixture(scope="module")
def anatomy():
    return read_anatomy("arm26")


@pytest.fixture(scope="module")
def moment_arms(anatomy):
    model = MusculoskeletalModel(anatomy, coordinates=("r_elbow_flex",), fixed={"r_shoulder_elev": 0.0})
    return lambda angle: np.asarray(model.moment_arms(angle))


def test_the_neighbors_of_arm26_are_the_lateral_triceps_and_the_short_biceps(anatomy, moment_arms):
    assert nearest([trial()], anatomy, moment_arms) == {"TRImed": "TRIlat", "BRA": "BICshort"}


def test_a_deep_muscle_does_what_its_neighbor_does(anatomy, moment_arms):
    given = trial()
    rec = copy_nearest([given], anatomy, moment_arms)
    (part,) = rec.trials
    assert rec.method == "copy"
    np.testing.assert_array_equal(part.excitation[:, 2], given.emg[:, 1])
    np.testing.assert_array_equal(part.excitation[:, 5], given.emg[:, 4])
    np.testing.assert_array_equal(part.excitation[:, :2], given.emg[:, :2])
    np.testing.assert_array_equal(part.lower, part.upper)


def test_an_electrode_that_came_loose_is_not_copied_where_another_lasted(anatomy, moment_arms):
    given = trial()
    valid = given.emg_valid.copy()
    valid[len(valid) // 2 :, MUSCLES.index("BICshort")] = False
    loose = replace(given, emg_valid=valid)
    assert nearest([given, loose], anatomy, moment_arms)["BRA"] == "BIClong"
    valid[len(valid) // 2 :, MUSCLES.index("BIClong")] = False
    assert nearest([given, loose], anatomy, moment_arms)["BRA"] == "BICshort"  # neither lasted: nearness decides


def test_the_truth_is_never_read(anatomy, moment_arms):
    given = trial()
    blind = replace(given, truth=np.full_like(given.truth, np.nan))
    for method in (lambda t: copy_nearest([t], anatomy, moment_arms), lambda t: copy_group([t], anatomy)):
        np.testing.assert_array_equal(method(given).trials[0].excitation, method(blind).trials[0].excitation)


def test_similar_moment_arms_come_before_architecture(anatomy):
    def arms(angle):
        values = np.tile([-0.02, -0.02, -0.02, 0.03, 0.06, 0.031], (len(angle), 1, 1))
        return values.astype(float)

    assert nearest([trial()], anatomy, arms)["BRA"] == "BIClong"


def test_a_group_without_electrode_copies_across_groups(anatomy, moment_arms):
    given = trial()
    valid = given.emg_valid.copy()
    valid[:, 3:] = False
    bare = replace(given, emg_valid=valid, emg=np.where(valid, given.emg, np.nan))
    assert set(nearest([bare], anatomy, moment_arms)) == {"TRImed", "BIClong", "BICshort", "BRA"}
    assert np.isfinite(copy_nearest([bare], anatomy, moment_arms).trials[0].excitation).all()


def test_what_the_neighbor_does_not_know_stays_unknown(anatomy, moment_arms):
    given = trial()
    valid = given.emg_valid.copy()
    valid[100:120, 4] = False
    holes = replace(given, emg_valid=valid)
    bra = copy_nearest([holes], anatomy, moment_arms).trials[0].excitation[:, 5]
    assert np.flatnonzero(np.isnan(bra)).tolist() == list(range(100, 120))
    mean = copy_group([holes], anatomy).trials[0].excitation[:, 5]
    np.testing.assert_array_equal(mean[100:120], given.emg[100:120, 3])
    np.testing.assert_allclose(mean[:100], given.emg[:100, 3:5].mean(axis=1))


def test_the_best_copy_in_hindsight_is_the_one_nearest_to_the_truth(anatomy):
    given = trial()
    truth = given.truth.copy()
    truth[:, 5] = given.emg[:, 0] + 0.001
    truth[:, 2] = np.nan
    (part,) = copy_best([replace(given, truth=truth)], anatomy).trials
    np.testing.assert_array_equal(part.excitation[:, 5], given.emg[:, 0])
    assert np.isnan(part.excitation[:, 2]).all()


def test_what_cannot_be_copied_is_refused(anatomy, moment_arms):
    mute = replace(trial(), emg_valid=np.zeros((400, 6), bool))
    with pytest.raises(InputError, match="nothing to copy"):
        copy_nearest([mute], anatomy, moment_arms)
    with pytest.raises(InputError, match="one person"):
        copy_group([trial(), trial(subject="sub-02")], anatomy)
    with pytest.raises(InputError, match="one person"):
        copy_group([], anatomy)
    with pytest.raises(InputError, match="no muscle 'SOL'"):
        copy_group([replace(trial(), muscles=("SOL", *MUSCLES[1:]))], anatomy)


def recorded(folder, subject) -> Trial:
    kinematics, emg, truth = (read_table(folder / name) for name in ("kinematics.mot", "emg.sto", "truth_emg.sto"))
    count = len(kinematics.time)
    envelopes = np.column_stack([emg[m] if m in emg else np.full(count, np.nan) for m in MUSCLES])
    angle = np.radians(kinematics["r_elbow_flex"])[:, None]
    none = np.zeros((count, 1))
    known = np.column_stack([truth[m] for m in MUSCLES])
    return Trial(
        *(subject, folder.name, "test", MUSCLES, ("r_elbow_flex",), kinematics.time, angle, none, none),
        *(envelopes, np.isfinite(envelopes), none, none > 0, known),
    )


def test_on_the_virtual_elbow_it_sets_the_known_bar(reference, anatomy, moment_arms):
    # medians over the 13 subjects, pooled over their test trials (04 and 06 of each load), from a calculation outside this package
    found = {"BRA": [], "TRImed": []}
    for subject in sorted((reference / "data" / "virtual_elbow").glob("S1*")):
        folders = sorted(subject.glob("load*_04_*")) + sorted(subject.glob("load*_06_*"))
        card = score(copy_nearest([recorded(folder, subject.name) for folder in folders], anatomy, moment_arms))
        for row in card.rows:
            if row.trial == "all" and row.name in found:
                found[row.name].append((row.r, row.rmse))
    assert np.median(found["BRA"], axis=0) == pytest.approx([0.90, 0.041], abs=0.005)
    assert np.median(found["TRImed"], axis=0) == pytest.approx([0.69, 0.024], abs=0.005)
