"""What the tests share: 64-bit numbers and the reference data, where it is at hand."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("PROFUNDUS_CACHE", str(Path(__file__).resolve().parents[1] / ".compiled"))

# Most programs of a test run once, so that compiling costs more than running: compile plainly, and let all processes
# share whatever one of them has compiled. JAX_DISABLE_MOST_OPTIMIZATIONS=0 tests what people run.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", os.environ["PROFUNDUS_CACHE"])
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

# The same examples in every run; HYPOTHESIS_PROFILE=default looks for new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

LONG = ("test_cohort.py", "test_cohort_processes.py", "test_study_prior.py", "test_pretraining.py", "test_cli_fit.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, or one worker is alone with it in the end."""
    items.sort(key=lambda item: item.path.name not in LONG)


def _reference_root() -> Path | None:
    """Return the folder that holds `oracle/` and `data/`: PROFUNDUS_REFERENCE, or a folder beside the repository."""
    named = os.environ.get("PROFUNDUS_REFERENCE")
    beside = Path(__file__).resolve().parents[2]
    candidates = [Path(named)] if named else sorted(p for p in beside.iterdir() if p.is_dir())
    return next((p for p in candidates if (p / "oracle").is_dir() and (p / "data").is_dir()), None)


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of the reference data (oracle tables and recordings), or skip with the reason."""
    root = _reference_root()
    if root is None:
        pytest.skip("the reference recordings are not beside the repository (set PROFUNDUS_REFERENCE)")
    return root
