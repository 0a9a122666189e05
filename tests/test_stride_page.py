"""The average stride on the pages: of periodic trials alone, with the angle that repeats itself, and what was not trusted beside."""

from dataclasses import replace

import numpy as np
import pytest

from comparison_content import METHODS, a_card
from profundus.records import Flag, Reconstruction, TrialReconstruction
from profundus.report import ComparisonContent, SubjectAnswers, SubjectContent, build_comparison, build_page
from profundus.report.details import excluded_block
from profundus.report.strides import compared_strides, stride_block
from profundus.validate.strides import POINTS, pooled_by_stride
from report_content import DEEP, GROUPS, a_page, a_trial

TIME = np.arange(1201) * 0.01
STRIDE = 1.0


def walked(name="walk", *, hidden=False, role="test"):
    """Return a trial of twelve strides: angle and envelopes repeat themselves every second; the second muscle's size alternates."""
    trial = a_trial(name, samples=len(TIME), role=role)
    angle = np.minimum(-0.1 - np.exp(-(((TIME / STRIDE) % 1 - 0.5) ** 2) / 0.02), 0.0)[:, None]
    wave = 0.2 + 0.1 * np.cos(2 * np.pi * TIME)[:, None] * np.ones(6)
    wave[:, 1] *= np.where(((TIME - 0.5) // STRIDE) % 2 == 0, 1.5, 0.5)
    emg = np.where(trial.emg_valid, wave, np.nan)
    truth = wave if hidden else np.full_like(wave, np.nan)
    exclusions = [{"trial": name, "time": [2.0, 3.5], "what": "emg", "why": "cable <pulled>", "muscles": ["TRIlat"]}]
    return replace(
        trial, angle=angle, emg=emg, truth=truth, load_kg=float("nan"), processing={"exclusions": exclusions}
    )


def answered(trial, *, scale=1.0, method="nmm"):
    wave = scale * (0.2 + 0.1 * np.cos(2 * np.pi * TIME)[:, None] * np.ones(6))
    part = TrialReconstruction(trial, wave, 0.5 * wave, 1.5 * wave)
    return Reconstruction(method, trial.subject, (part,))


def a_walker(**options):
    return SubjectContent(answered(walked(**options)))


def test_strides_of_several_trials_are_pooled_and_the_mean_is_that_of_the_envelope():
    trial = walked()
    curves, angle = pooled_by_stride([(trial, trial.emg), (trial, trial.emg)])
    assert angle == "r_elbow_flex"
    assert curves.shape == (22, POINTS, 6)
    expected = 0.2 + 0.1 * np.cos(2 * np.pi * (0.5 + np.linspace(0, 1, POINTS)))
    np.testing.assert_allclose(curves[0, :, 0], expected, atol=1e-3)


def test_every_muscle_has_a_panel_under_its_group_and_deep_ones_their_band():
    page = a_page(subjects=(a_walker(),))
    block = stride_block(page, page.subjects[0])
    assert block.count("<figure>") == 6
    assert "11 strides of the test trials" in block
    assert "extreme of r_elbow_flex" in block
    assert [group in block for group in ("elbow extensors", "elbow flexors")] == [True, True]
    deep = block[block.index(">Brachialis") :]
    assert deep.count("<polygon") == 1
    assert deep.count('stroke-dasharray="2 2.5"') == 2  # one standard deviation over strides, up and down


def test_the_page_has_the_section_where_somebody_walks_and_not_else():
    assert 'id="strides"' in build_page(a_page(subjects=(a_walker(),)))
    page = build_page(a_page())
    assert 'id="strides"' not in page
    assert "Average stride" not in page


@pytest.mark.parametrize(("normalization", "factor"), [("none", True), ("mvc", False)])
def test_hidden_muscles_stand_beside_what_methods_make_of_them(normalization, factor):
    trial = walked(hidden=True)
    people = (SubjectAnswers("sub-01", tuple(answered(trial, scale=1 + k, method=m) for k, m in enumerate(METHODS))),)
    content = ComparisonContent(
        "Hidden", "walk", METHODS, people, a_card(("sub-01",)), DEEP, GROUPS, hidden=DEEP,
        provenance={"emg": {"normalization": normalization}},
    )  # fmt: skip
    block = compared_strides(content)
    assert block.count("<figure>") == 2
    assert block.count("<polyline") == 2 * (1 + len(METHODS))
    lines = [part.split('"')[0] for part in block.split('<polyline points="')[1:]]
    assert (
        lines[0] == lines[1] == lines[2] == lines[3]
    ) == factor  # answers that differ in level alone fall on the truth
    assert ("after the one factor" in block) == factor
    assert 'id="strides"' in build_comparison(content)


def test_what_was_not_trusted_is_named_with_its_reason():
    block = excluded_block(a_walker())
    assert "2 to 3.5 s" in block
    assert "emg, TRIlat" in block
    assert "cable &lt;pulled&gt;" in block
    assert excluded_block(a_page().subjects[0]) == ""


def test_what_is_said_of_many_muscles_is_said_once():
    flags = tuple(Flag("prior_only", "sub-01", f"muscle_{k}") for k in range(9))
    many, few = (build_page(a_page(subjects=(a_walker(),), flags=flags[:count])) for count in (9, 8))
    assert "<b>prior only</b> 9 muscles" in many
    assert "<b>prior only</b> muscle_3" not in many
    assert "<b>prior only</b> muscle_3" in few
