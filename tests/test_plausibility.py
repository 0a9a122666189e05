"""Flags on what no physiologist should take at face value."""

from dataclasses import replace

import numpy as np
import pytest

from answers import MUSCLES, answer, reconstruction, trial
from profundus.records import Reconstruction
from profundus.validate.plausibility import flags

GROUPS = dict(zip(MUSCLES, ["extensors"] * 3 + ["flexors"] * 3, strict=True))
MED, BRA = MUSCLES.index("TRImed"), MUSCLES.index("BRA")


def explained(*, bra=1.0, med=1.0, floor=None, role="test", **changes):
    """An answer that explains the moment, its deep muscles so many times the mean of their groups' electrodes."""
    given = replace(trial(role=role), **changes)
    excitation = np.where(given.emg_valid, given.emg, 0.0)
    excitation[:, MED] = med * given.emg[:, :2].mean(axis=1)
    excitation[:, BRA] = bra * given.emg[:, 3:5].mean(axis=1)
    if floor is not None:
        excitation[: int(floor * len(excitation)), BRA] = 0.0
    return replace(answer(given), excitation=excitation, lower=excitation, upper=excitation)


def found(*parts, groups=GROUPS, name="amplitude_implausible"):
    return [flag for flag in flags(Reconstruction("nmm", "sub-01", parts), groups=groups) if flag.name == name]


def test_levels_without_a_scale_are_not_judged():
    part = answer(trial())
    silent = replace(part, excitation=np.full_like(part.excitation, 0.001), moment=part.moment + 2.0)
    found = flags(Reconstruction("nmm", "sub-01", (silent,)), groups=GROUPS, scaled=False)
    assert {flag.name for flag in found} == {"moment_poor"}


def test_a_silent_and_a_saturated_muscle_and_a_poor_moment_are_flagged():
    part = answer(trial())
    excitation = part.excitation.copy()
    excitation[:201, 2] = 0.019  # just more than half of 400
    excitation[:200, 5] = 0.019
    excitation[:21, 3] = 0.96  # just more than 5 %
    excitation[:20, 4] = 0.96
    poor = replace(part, excitation=excitation, moment=part.moment + 2.0)
    found = flags(Reconstruction("nmm", "sub-01", (poor,)))
    assert [(flag.name, flag.muscle) for flag in found] == [
        ("silent", "TRImed"),
        ("saturated", "BIClong"),
        ("moment_poor", ""),
    ]
    assert "r_elbow_flex" in found[2].why
    assert flags(reconstruction()) == ()


@pytest.mark.parametrize(("times", "odd"), [(0.3, True), (0.35, False), (1.0, False), (2.9, False), (3.1, True)])
def test_a_deep_muscle_beyond_three_times_or_below_a_third_of_its_group_is_implausible(times, odd):
    assert [flag.muscle for flag in found(explained(bra=times))] == ["BRA"] * odd
    assert [flag.muscle for flag in found(explained(med=times))] == ["TRImed"] * odd


def test_the_flag_tells_how_much_beside_whom_and_that_the_moment_does_not_tell():
    (flag,) = found(explained(bra=4.0))
    assert "4 times" in flag.why
    assert "BIClong, BICshort" in flag.why
    assert "moment is explained" in flag.why


def test_a_deep_muscle_at_the_floor_is_implausible_where_its_group_is_not():
    (flag,) = found(explained(bra=1.5, floor=0.51))
    assert (flag.muscle, "below 0.02 for 51%" in flag.why) == ("BRA", True)
    assert not found(explained(bra=1.5, floor=0.49))


def test_a_deep_muscle_at_the_floor_with_its_group_is_plausible():
    quiet = trial()
    quiet.emg[:, 3:5] *= 0.04
    assert quiet.emg[:, 3:5].max() < 0.02
    assert not found(explained(emg=quiet.emg))
    assert [flag.muscle for flag in found(explained(emg=quiet.emg), name="silent")] == ["BIClong", "BICshort", "BRA"]


def test_without_groups_or_a_moment_that_is_explained_amplitudes_are_not_judged():
    odd = explained(bra=4.0)
    assert not found(odd, groups=None)
    assert not found(odd, groups={})
    assert not found(replace(odd, moment=None))
    assert not found(replace(odd, moment=odd.moment + 2.0))
    assert found(replace(odd, moment=odd.moment + 2.0), name="moment_poor")


def test_a_group_without_electrode_is_not_judged_nor_is_a_muscle_without_group():
    bare = trial()
    valid = bare.emg_valid.copy()
    valid[:, 3:] = False
    odd = replace(explained(bra=4.0), trial=replace(bare, emg_valid=valid, emg=np.where(valid, bare.emg, np.nan)))
    assert not found(odd)
    assert not found(explained(bra=4.0), groups={name: group for name, group in GROUPS.items() if name != "BRA"})


def test_measured_muscles_are_what_others_are_held_against_and_are_not_judged():
    loud = explained()
    excitation = loud.excitation.copy()
    excitation[:, 3] *= 4.0
    assert not found(replace(loud, excitation=excitation))


def test_test_trials_decide_where_there_are_any():
    assert not found(explained(bra=4.0, role="fit"), explained())
    assert found(explained(bra=4.0, role="fit"))


def test_only_instants_at_which_both_are_known_count():
    part = explained(bra=4.0)
    excitation = part.excitation.copy()
    excitation[:, BRA] = np.nan
    assert not found(replace(part, excitation=excitation))
    excitation[:10, BRA] = part.excitation[:10, BRA]
    assert [flag.muscle for flag in found(replace(part, excitation=excitation))] == ["BRA"]
