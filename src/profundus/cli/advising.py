"""`advise`: which recording would tell most about a person's deep muscles."""

from __future__ import annotations

from pathlib import Path

from profundus.cli.outcome import Outcome, Words, table
from profundus.io.study_file import read_study
from profundus.protocols.advising import advise_study, write_advice
from profundus.records import Advice, AdviceRow

SHOWN = 12  # recordings in the terminal; the files hold all
SIDE_BY_SIDE = 3  # muscles that have columns of their own


def advised(
    study_file: Path,
    *,
    subject: str | None = None,
    out: Path | None = None,
    data_root: Path | None = None,
    seed: int = 0,
) -> Outcome:
    """Return the outcome of ranking recordings for one person; files are written where a folder is named."""
    advice = advise_study(read_study(study_file, data_root=data_root), subject=subject, seed=seed)
    written = [] if out is None else list(write_advice(advice, out))
    facts = {
        "subject": advice.subject,
        "summary": advice.summary,
        "recordings": [vars(row) for row in advice.rows],
        "left_out": advice.left_out,
        "files": written,
    }
    words: list[Words] = [
        table(
            _rows(advice), title="Expected after one more recording (level: sd of the log; band: mean width of 90 %)"
        ),
        *(
            [f"Extra trials that are more than the person's muscles can do: {len(advice.left_out)}."]
            if advice.left_out
            else []
        ),
        f"\n{advice.summary}",
        "Bands shrink as the learned prior expects; that is no promise about the error.",
        *(f"File: {path}" for path in written),
    ]
    return Outcome(facts, words)


def _rows(advice: Advice) -> list[dict[str, str]]:
    """Return a line a recording, with the columns of every deep muscle; of many muscles those of the one whose band it narrows most."""
    if len(advice.muscles) > SIDE_BY_SIDE:
        return _narrowed_most(advice)
    lines: dict[int, dict[str, str]] = {}
    for row in advice.rows:
        if row.rank > SHOWN:
            break
        line = lines.setdefault(
            row.rank, {"rank": str(row.rank), "recording": row.recording, "bands left": f"{row.share:.0%}"}
        )
        line[f"{row.muscle} level"] = f"{row.level_sd_before:.2f} -> {row.level_sd_after:.2f}"
        line[f"{row.muscle} band"] = f"{row.band_before:.3f} -> {row.band_after:.3f}"
    return list(lines.values())


def _narrowed_most(advice: Advice) -> list[dict[str, str]]:
    most: dict[int, AdviceRow] = {}
    for row in advice.rows:
        if row.rank not in most or row.left < most[row.rank].left:
            most[row.rank] = row
    return [
        {
            "rank": str(row.rank),
            "recording": row.recording,
            "bands left": f"{row.share:.0%}",
            "most for": row.muscle,
            "its level": f"{row.level_sd_before:.2f} -> {row.level_sd_after:.2f}",
            "its band": f"{row.band_before:.3f} -> {row.band_after:.3f}",
        }
        for row in list(most.values())[:SHOWN]
    ]
