"""How far the teaching of a prior is: what is told, and when."""

import io
import sys

import pytest

from profundus.cli import pretraining
from profundus.cli.pretraining import Lines, described, shown_progress
from profundus.protocols.pretraining import PretrainProgress


def at(stage, *, people=100, step=0, loss=float("nan")):
    return PretrainProgress(stage, people, 200, step, 1000, loss)


def test_stages_are_told_in_words():
    assert described(at("people")) == "making virtual people: 100 of 200"
    assert described(at("learn", step=20, loss=0.5)) == "learning from 100 people: step 20 of 1000, loss 0.500"
    assert described(at("learn", step=20)) == "learning from 100 people: step 20 of 1000"


def test_time_left_is_that_of_the_stage(monkeypatch, capsys):
    clock = iter((0.0, 60.0, 70.0, 100.0, 160.0, 170.0, 172.0))  # compilation takes a minute
    monkeypatch.setattr(pretraining.time, "monotonic", lambda: next(clock))
    lines = Lines()
    people = [at("people", people=count) for count in (0, 100, 150)]
    for now in (*people, *(at("learn", step=step) for step in (0, 20, 120, 140))):
        lines(now)
    said = capsys.readouterr().err.splitlines()
    assert said[1] == "making virtual people: 100 of 200"
    assert said[2] == "making virtual people: 150 of 200, about 10 s left"
    assert said[5] == "learning from 100 people: step 120 of 1000, about 88 s left"
    assert len(said) == 6  # two seconds later there is no need to say more


@pytest.mark.parametrize(("seconds", "said"), [(99, "99 s"), (600, "10 min"), (7200, "2.0 h")])
def test_durations_are_said_as_one_would(seconds, said):
    assert pretraining._spoken(seconds) == said


def test_quiet_tells_nobody():
    with shown_progress(quiet=True) as tell:
        assert tell is None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_of_each_stage(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with shown_progress() as tell:
        for stage in ("people", "learn", "judge", "done"):
            tell(at(stage, step=1000, loss=0.25))
    assert "making virtual people" in screen.getvalue()
    assert "step 1000 of 1000, loss 0.250" in screen.getvalue()
