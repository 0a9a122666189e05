"""Which learned prior a study's people are met with: told from the header of its file, before anything is computed."""

from __future__ import annotations

from pathlib import Path

from profundus.errors import FileFormatError, InputError, MissingFileError, Problem
from profundus.io.shipped import shipped_prior
from profundus.io.store import digest
from profundus.io.weights import read_facts
from profundus.model.prior_facts import facts_problems, mismatch
from profundus.records import Anatomy, Study

TEACH = "Teach one with `profundus pretrain`, or set [fit] ablation = 'no_pretraining'"


def prior_file(study: Study, anatomy: Anatomy) -> Path | None:
    """Return the file of the learned prior: the one that [fit] names, else the one that comes with the package, if it is of this model.

    Raises InputError for a named file that is missing, that is no learned prior, or that is one of another model.
    """
    if study.fit.prior:
        path = (Path(study.source).parent if study.source else Path()) / study.fit.prior
        if not path.is_file():
            what = "the learned prior that [fit] names is not there"
            raise MissingFileError(Problem("error", what, file=str(path), remedy=TEACH))
        if differs := _mismatch(path, study, anatomy):
            raise InputError(Problem("error", f"the learned prior {differs}", file=str(path), remedy=TEACH))
        return path
    shipped = shipped_prior(anatomy.name)
    return None if shipped is None or _mismatch(shipped, study, anatomy) else shipped


def prior_problems(study: Study, anatomy: Anatomy) -> tuple[Problem, ...]:
    """Return what is wrong with the file of a learned prior that [fit] names."""
    try:
        prior_file(study, anatomy)
    except InputError as error:
        return error.problems
    return ()


def prior_identity(study: Study, anatomy: Anatomy) -> dict[str, str] | None:
    """Return name and SHA-256 of the learned prior's file, for manifests; None where there is none. Raises as `prior_file`."""
    path = prior_file(study, anatomy)
    return None if path is None else {"file": path.name, "sha256": digest(path)}


def _mismatch(path: Path, study: Study, anatomy: Anatomy) -> str:
    """Return in what the prior in a file is not that of a study's model; FileFormatError where it is no prior."""
    facts = read_facts(path)
    if problems := facts_problems(facts, str(path)):
        raise FileFormatError(problems)
    return mismatch(facts, anatomy, study.moved)
