"""What the page of benchmarks says is what was measured; the searches that are held against ours are what they are called."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
NEEDS = {"torch_step": "torch", "make_arm26_numbers": "opensim"}  # beside the package itself


def script(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_every_script_finds_what_it_is_made_of(name, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    if needed := NEEDS.get(name):
        pytest.importorskip(needed)
    assert script(name).__doc__


def test_the_tables_of_the_page_are_those_of_the_results():
    page = script("make_benchmark_page")
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.filled(text) == text, "run python benchmarks/make_benchmark_page.py"
    assert {*page.PARTS, *page.GROWTH} == {part for _, part, _ in page.BLOCK.findall(text)}


def test_results_name_no_place_of_one_machine():
    for path in (FOLDER / "results").glob("*.json"):
        assert "/tmp" not in path.read_text(encoding="utf-8")
        assert json.loads(path.read_text(encoding="utf-8"))["command"] == f"python benchmarks/{path.stem}.py"


def test_ratios_are_taken_turn_by_turn():
    measuring = script("measuring")
    ours = measuring.Measured("ours", [1.0, 2.0, 4.0], 100.0)
    rival = measuring.Measured("rival", [10.0, 10.0, 10.0], 200.0)
    found = measuring.row("a race", ours, rival, scale=2.0)
    assert (found["ratio"], found["ratio_least"], found["ratio_most"]) == (10.0, 5.0, 20.0)
    assert found["rival"]["seconds"] == 10.0


def test_annealing_finds_the_deepest_of_many_valleys():
    """Rastrigin's function: its minimum of 0 is at 0, among valleys one apart that a descent from 2.2 does not leave."""

    def rastrigin(at):
        return float(np.sum(at**2 - 10.0 * np.cos(2 * np.pi * at) + 10.0))

    bound = np.full(2, 5.12)
    found = script("annealing").annealed(rastrigin, np.full(2, 2.2), -bound, bound, seed=0, seconds=60.0)
    assert found.ended == "came to rest"
    assert found.cost == pytest.approx(0.0, abs=1e-3)
    np.testing.assert_allclose(found.value, 0.0, atol=0.01)
