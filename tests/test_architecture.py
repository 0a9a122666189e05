"""The rooms and their doors: who may import whom, and which foreign library lives where."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "profundus"
COMMON = {"errors", "shapes", "quantities"}
PHYSICS = {"numerics", "muscle", "skeleton"}
MAY_IMPORT = {
    "errors": COMMON,
    "shapes": COMMON,
    "quantities": COMMON,
    "records": set(),
    "io": {"records"},
    "signal": {"records"},
    "numerics": set(),
    "muscle": {"numerics"},
    "skeleton": {"numerics"},
    "network": set(),
    "model": {"records", "network", *PHYSICS},
    "fit": {"records", "numerics", "model"},
    "pretrain": {"records", "simulate", "network", "model", "fit"},
    "reconstruct": {"records", "model"},
    "rivals": {"records", *PHYSICS},
    "simulate": {"records", *PHYSICS},
    "validate": {"records"},
    "report": {"records", "validate"},
    "protocols": {
        "records",
        "io",
        "signal",
        "network",
        "model",
        "fit",
        "pretrain",
        "reconstruct",
        "rivals",
        "simulate",
        "validate",
        "stream",
        *PHYSICS,
    },
    "stream": {"records", "model"},
}
EVERYTHING = {"cli", "api", "pages", "__init__"}  # they hand arguments on and hold no science; nobody imports them
LIVES_IN = {
    "jax": {
        "shapes",
        "quantities",
        "network",
        "model",
        "fit",
        "pretrain",
        "reconstruct",
        "stream",
        "rivals",
        "simulate",
        *PHYSICS,
    },
    "equinox": {"network", "model", "fit", "pretrain", "reconstruct", "stream", "rivals", "simulate", *PHYSICS},
    "optax": {"fit", "pretrain"},
    "sklearn": {"rivals"},
    "clarabel": {"rivals"},
    "distributed": {"protocols"},
    "dask": {"protocols"},
    "matplotlib": {"report"},
    "plotly": {"report"},
    "typer": {"cli"},
    "rich": {"cli"},
    "opensim": {"skeleton"},
    "pylsl": {"stream"},
    "h5netcdf": {"io"},
    "h5py": {"io"},
    "safetensors": {"io"},
    "ezc3d": {"io"},
    "xml": {"io"},
    "pydantic": {"io"},
    "pickle": set(),
}
FILES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            found += (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if node.module == "profundus"
                else [str(node.module)]
            )
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_what_the_table_allows(path):
    here = room(path)
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "profundus":
            there = parts[1] if len(parts) > 1 else "__init__"
            assert there not in {"cli"} or here == "cli", f"{path} imports the command line"
            if here not in EVERYTHING and there != "__version__":
                assert there in {here, *COMMON, *MAY_IMPORT[here]}, f"{path} ({here}) imports {module}"
        elif parts[0] in LIVES_IN:
            assert here in LIVES_IN[parts[0]], f"{path} ({here}) imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_stay_small(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{path}:{node.lineno} {node.name} has {length} lines"
