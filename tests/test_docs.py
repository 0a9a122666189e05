"""The words a reader meets: examples parse, keys exist, links resolve, commands are there."""

import importlib.util
import re
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest
import typer

from profundus.cli.main import app
from profundus.io.study_schema import StudyFile
from profundus.records import FitSettings, Recipe

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
        *(page for folder in ("docs", "examples", "src/profundus/data") for page in (ROOT / folder).rglob("*.md")),
    ]
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INVOKED = re.compile(r"^(?:\S*[\\/])?profundus +([^#\n]*)", re.MULTILINE)
COMMANDS = typer.main.get_command(app).commands


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def headings(page: Path) -> set[str]:
    found = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


def keys_of(record: type) -> dict[str, object]:
    hints = get_type_hints(record)
    return {key.name: keys_of(hints[key.name]) if is_dataclass(hints[key.name]) else None for key in fields(record)}


def unknown_keys(said: dict[str, object], known: dict[str, object]) -> set[str]:
    found = set(said) - set(known)
    for key, inner in said.items():
        if isinstance(inner, dict) and isinstance(known.get(key), dict):
            found |= unknown_keys(inner, known[key])
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_toml_parses_and_its_tables_and_settings_exist(page):
    for text in blocks(page, "toml"):
        said = tomllib.loads(text)
        if page.stem == "pretraining":
            assert not unknown_keys(said, keys_of(Recipe)), text
            continue
        assert set(said) <= {*StudyFile.model_fields, "trial"}, text
        assert not unknown_keys(said.get("fit", {}), keys_of(FitSettings)), text
        for section in {"study", "emg", "kinematics", "moments"} & set(said):
            hint = StudyFile.model_fields[section].annotation
            known = getattr(hint, "model_fields", None) or {f.name for f in fields(hint)}
            assert set(said[section]) <= set(known), text


def test_every_setting_that_the_method_names_exists():
    words = set(re.findall(r"`([a-z][a-z0-9]*_[a-z0-9_]+)`", (ROOT / "docs" / "method.md").read_text(encoding="utf-8")))
    settings = keys_of(FitSettings)
    known = {*settings, *settings["network"], *settings["loss"], "delay_prior_ms"}
    elsewhere = {
        "moved_by_data",
        "at_bound",
        "prior_only",
        "session_max",
        "copy_group",
        "network_only",
        "no_pretraining",
        "no_physics",
        "no_emg",
    }  # columns, flags and values of docs/study-file.md
    assert words - known <= elsewhere


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_resolve(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith(("http:", "https:")):
            continue
        file, _, heading = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{named(page)}: {target}"
        assert not heading or heading in headings(there), f"{named(page)}: {target}"


def invocations(page: Path) -> list[list[str]]:
    """Return the words after `profundus` of every command line that a page shows."""
    shown = [text for kind in ("console", "powershell") for text in blocks(page, kind)]
    return [line.split() for text in shown for line in INVOKED.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_and_their_options_exist(page):
    for command, *rest in invocations(page):
        assert command in COMMANDS
        known = {name for parameter in COMMANDS[command].params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, command


def test_readme_shows_every_way_to_begin():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = {command for command, *_ in invocations(ROOT / "README.md")}
    assert {"demo", "check", "fit", "reconstruct", "report", "export"} <= shown
    assert "make demo" in text
    assert "make test" in text
    assert "Research use only" in text


def test_tables_of_settings_are_those_of_the_code():
    script = ROOT / "benchmarks" / "make_settings_tables.py"
    spec = importlib.util.spec_from_file_location("make_settings_tables", script)
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    page = tables.PAGE.read_text(encoding="utf-8")
    assert tables.filled(page) == page, f"run python {named(script)}"


def test_python_of_the_readme_compiles_and_names_what_is_public():
    import profundus

    for text in blocks(ROOT / "README.md", "python"):
        compile(text, "README.md", "exec")
        for name in re.findall(r"\bpf\.(\w+)", text):
            assert name in profundus.__all__


def test_pictures_of_the_readme_are_small():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert pictures
    assert all((ROOT / picture).stat().st_size < 200_000 for picture in pictures)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pages_name_no_place_of_one_machine(page):
    assert not re.search(r"(?<![\w.])/(?:work|tmp|home|root)/", page.read_text(encoding="utf-8"))
