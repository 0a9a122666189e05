"""How far a fit is: what is told, and when."""

import io
import sys

import pytest

from profundus.cli import progress
from profundus.cli.progress import Lines, share_done, shown_progress
from profundus.protocols.fitting import FitProgress


def at(step, *, stage="train", index=0, subjects=2, terms=None):
    return FitProgress("sub-01", index, subjects, step, 100, {} if terms is None else terms, stage)


def test_the_share_grows_from_nothing_to_all_over_stages_and_people():
    told = [
        at(step, stage=stage, index=index)
        for index in (0, 1)
        for stage, step in (("prepare", 0), ("train", 25), ("train", 100), ("reconstruct", 100), ("done", 100))
    ]
    shares = [share_done(now) for now in told]
    assert (shares[0], shares[4], shares[-1]) == (0.0, 0.5, 1.0)
    assert shares == sorted(shares)


def test_time_left_counts_from_the_first_training_step(monkeypatch, capsys):
    clock = iter((0.0, 60.0, 70.0))  # a minute of compilation, then 25 steps in 10 s
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    lines = Lines()
    for now in (at(0, stage="prepare", subjects=1), at(25, subjects=1), at(50, subjects=1, terms={"moment": 3.0})):
        lines(now)
    said = capsys.readouterr().err.splitlines()
    assert said[1] == "sub-01: training 25/100, 24%"
    left = 10.0 * (1 - 0.95 * 0.5) / (0.95 * 0.25)  # a linear rate
    assert said[2] == f"sub-01: training 50/100, 48%, about {left:.0f} s left; moment 3"


def test_a_loss_that_is_not_finite_is_told(capsys):
    Lines()(at(25, terms={"emg": float("nan"), "group": 1e-6}))
    assert "emg nan" in capsys.readouterr().err


def test_quiet_tells_nobody():
    with shown_progress(quiet=True) as tell:
        assert tell is None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", ["sub-01", "[red]"])
def test_a_terminal_gets_a_bar_whose_words_are_not_markup(name, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with shown_progress() as tell:
        assert tell is not None
        tell(FitProgress(name, 0, 1, 50, 100, {"moment": 3.0}, "train"))
    assert f"{name}: training 50/100" in screen.getvalue()
