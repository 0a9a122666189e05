"""What decided an answer is told in words that a physiologist reads, with the numbers of the rows."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from profundus.records import DecidedRow, ParameterRow, TradeOff
from profundus.report import build_page, methods_paragraph, verdict
from profundus.report.decided import decided_block, factor_words, level_words, trade_off_words
from profundus.report.details import parameter_block
from report_content import a_page, a_subject, met_with_a_prior, some_parameters
from test_prior_page import text_of

EDGE = 1.6448536269514722


def test_a_standard_deviation_is_told_as_the_factor_of_a_ninety_percent_band():
    assert factor_words(math.log(1.35) / EDGE) == "1.35"
    assert factor_words(math.log(12.3) / EDGE) == "12"


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (TradeOff("BRA max_isometric_force", "BRA excitation level", -0.951),
         "More force of BRA (max isometric force) makes up for less excitation: correlation −0.95."),
        (TradeOff("BIClong max_isometric_force", "BRA excitation level", -0.5),
         "More force of BIClong (max isometric force) makes up for less excitation of BRA: correlation −0.50."),
        (TradeOff("TRIlong tendon_slack_length", "TRIlong optimal_fiber_length", -0.7),
         "A longer tendon of TRIlong (tendon slack length) makes up for a shorter fiber (optimal fiber length): correlation −0.70."),
        (TradeOff("time_constant", "BRA electromechanical_delay", 0.4),
         "A slower activation (time constant) makes up for a longer delay of BRA (electromechanical delay): correlation 0.40."),
        (TradeOff("new_thing", "BRA excitation level", 0.4), "More of new thing makes up for more excitation of BRA: correlation 0.40."),
    ],
)  # fmt: skip
def test_a_trade_off_is_told_in_words(pair, words):
    assert trade_off_words(pair) == words


def test_the_width_shrinks_from_motion_to_all_with_level_and_course_apart():
    row = DecidedRow(
        "BRA", *(math.log(f) / EDGE for f in (4.0, 2.0, 3.0, 1.5)), math.log(3.0) / EDGE, math.log(1.4) / EDGE
    )
    subject = replace(a_subject(trials=1), decided=(row,))
    block = decided_block(subject)
    text = text_of(block)
    course = math.exp(math.sqrt(math.log(1.5) ** 2 - math.log(1.4) ** 2))
    share = 1 - (math.log(1.5) / math.log(4.0)) ** 2
    assert "Within a factor of 1.50 up or down" in text
    assert f"decided {share:.0%} of".replace("%", " %") in text
    assert f"level within a factor of 1.40 (was 3.00), its time course within {course:.2f}" in text
    widths = [float(width) for width in re.findall(r"--w:([\d.]+)", block)]
    scale = widths[0] / math.log(4.0)
    assert widths == pytest.approx([scale * math.log(f) for f in (4.0, 3.0, 2.0, 1.5)], abs=0.2)


def test_a_person_on_whom_networks_were_trained_has_no_such_section():
    assert decided_block(a_subject(trials=1)) == ""
    page = build_page(a_page(subjects=(a_subject(trials=1),)))
    assert 'id="decided"' not in page
    assert "No training was recorded" in page  # told where there is no curve


def test_a_person_met_with_a_prior_is_told_so():
    page = build_page(a_page(subjects=(met_with_a_prior(trials=1),)))
    assert 'href="#decided"' in page
    assert "makes up for less excitation" in page
    assert "Nothing was trained on this person: a learned prior answered." in page


def test_the_methods_paragraph_does_not_claim_training_that_never_was():
    text = methods_paragraph(a_page(subjects=(met_with_a_prior(trials=1),)))
    assert "virtual people had taught" in text
    assert "steps each" not in text
    assert "maximum of their posterior" in text


def test_a_level_is_held_and_told_in_factors():
    left, prior = math.log(1.2) / EDGE, math.log(1.8) / EDGE
    row = ParameterRow("BRA", "excitation_level", "log ratio", 0.0, 0.0, -1.0, 1.0, left, prior)
    said = "held at the prior's answer (known within a factor of 1.80); the moment alone would leave 1.20"
    assert level_words(row) == said
    assert said in text_of(parameter_block(replace(a_subject(trials=1), parameters=(*some_parameters(), row))))


def test_levels_are_not_counted_among_the_parameters():
    page = a_page(subjects=(met_with_a_prior(trials=1),))
    assert f"of {len(some_parameters())}" in verdict(page, page.subjects[0]).text
    assert f"of {len(some_parameters())} parameters" in text_of(decided_block(page.subjects[0]))


def test_the_table_keeps_a_muscle_s_parameters_together():
    mixed = sorted(some_parameters(), key=lambda row: row.parameter)
    block = parameter_block(replace(a_subject(trials=1), parameters=tuple(mixed)))
    assert block.count('class="group"') == 7  # six muscles and the whole person
    assert block.index("Whole person") > block.index("Brachialis")
