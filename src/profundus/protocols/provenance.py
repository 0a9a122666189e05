"""What results depend on, and what made them: for manifests, and to tell whether earlier results may be gone on with."""

from __future__ import annotations

import hashlib
import json
import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from profundus import __version__
from profundus.errors import InputError, Problem
from profundus.io.manifest import read_manifest
from profundus.io.run_directory import MANIFEST
from profundus.model.settings import resolved
from profundus.records import Anatomy, Study

NAMED = 3  # of the entries that differ


def study_facts(study: Study, seed: int) -> dict[str, Any]:
    """Return what a study and a seed put into a result."""
    return {
        "study": study.name,
        "seed": seed,
        "settings": {**asdict(resolved(study.fit)), "paper": study.fit.paper},
        "digests": study.digests,
        "emg": asdict(study.emg),
        "coordinates": list(study.coordinates),
        "deep": list(study.deep),
        "measured": list(study.measured),
        "moving": list(study.moving),
        "fixed": study.fixed,
        "rate_hz": study.rate_hz,
    }


def surroundings(study: Study, anatomy: Anatomy, libraries: Sequence[str]) -> dict[str, Any]:
    """Return with what a result was made: versions, model, and what was found in the study's files."""
    return {
        "version": __version__,
        "data_root": study.data_root,
        "libraries": {"python": platform.python_version(), **{name: version(name) for name in libraries}},
        "anatomy": {
            "name": anatomy.name,
            "muscles": list(anatomy.muscles),
            "groups": list(anatomy.groups),
            "credit": anatomy.credit,
            "path_fits": [asdict(fit) for fit in anatomy.path_fits],
        },
        "problems": [problem.as_dict() for problem in (*study.problems, *anatomy.problems)],
    }


def fingerprint(facts: Mapping[str, Any], study: Study) -> str:
    """Return a digest of everything that a result depends on, the text of the study file and the version included."""
    declared = tomllib.loads(Path(study.source).read_text(encoding="utf-8-sig")) if study.source else {}
    known = json.dumps({**facts, "declared": declared, "version": __version__}, sort_keys=True, default=str)
    return hashlib.sha256(known.encode()).hexdigest()


def refuse_others(out: Path, facts: Mapping[str, Any], known: str, *, what: str) -> None:
    """Raise InputError where the folder holds ``what`` (a run, a comparison) that was begun with other ``facts``, and say which."""
    if not (out / MANIFEST).is_file():
        return
    earlier = read_manifest(out / MANIFEST)
    if earlier.get("fingerprint") != known:
        differ = ", ".join(_differing(earlier, {**facts, "version": __version__})) or "another study file"
        said = f"the {what} in this folder was begun with other data, settings or seed, or by another version: {differ}"
        remedy = "Ask as before, choose another folder, or start over with --overwrite"
        raise InputError(Problem("error", said, file=str(out), remedy=remedy))


def _differing(earlier: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not as it was, with both values where they are short."""
    for name, value in json.loads(json.dumps(facts, default=str)).items():
        before = earlier.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            changed = sorted(key for key in {*value, *before} if value.get(key) != before.get(key))
            if changed:
                more = ", ..." if len(changed) > NAMED else ""
                yield f"{name} ({', '.join(changed[:NAMED])}{more})"
        elif before != value:
            yield f"{name} was {_short(before)} and is {_short(value)}"


def _short(value: Any) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
