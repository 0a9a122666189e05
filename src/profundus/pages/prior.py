"""The page of a learned prior, from its folder alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from profundus.errors import FileFormatError, MissingFileError, Problem
from profundus.io.store import write_whole
from profundus.io.weights import CheckpointStore
from profundus.protocols.pretraining import CARD, CARD_PAGE, CHECKPOINTS, RECIPE
from profundus.report.prior import PriorContent, build_prior

AGAIN = "Make the prior again with `profundus pretrain --overwrite`"


def is_prior(folder: Path) -> bool:
    """Return whether a finished prior is in a folder."""
    return (folder / CARD).is_file()


def write_prior_page(folder: Path) -> Path:
    """Write ``card.html`` into a prior's folder, whole, and return its path.

    Raises MissingFileError where card or recipe is missing, FileFormatError where the card is damaged, and ResourceError.
    """
    card, recipe = (_text(folder / name) for name in (CARD, RECIPE))
    try:
        page = build_prior(PriorContent(json.loads(card), recipe, _loss(folder)))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"entries are missing or of another kind ({type(error).__name__}: {error})"
        raise FileFormatError(Problem("error", what, file=str(folder / CARD), remedy=AGAIN)) from error
    path = folder / CARD_PAGE
    write_whole(path, page)
    return path


def _text(path: Path) -> str:
    if not path.is_file():
        raise MissingFileError(Problem("error", "there is no such file", file=str(path), remedy=AGAIN))
    return path.read_text(encoding="utf-8")


def _loss(folder: Path) -> list[float]:
    """Return the loss of every step; empty where the checkpoints have been deleted."""
    if not (folder / CHECKPOINTS).is_dir():
        return []
    saved = CheckpointStore(folder / CHECKPOINTS).latest()
    history: Any = saved[0].get("history", []) if saved is not None else []
    return [float(value) for value in history]
