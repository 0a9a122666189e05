"""A person from files to results against OpenSim's StaticOptimization: ``python benchmarks/end_to_end.py --reference FOLDER``.

`profundus fit` of one person (reads and checks all files, fits to 12 trials of 8 s, answers for all 18, writes tables and page), with what
it compiles kept and, once, with an empty cache; all 13 people in one command, divided by 13; beside it the Analyze tool with
StaticOptimization (exponent 2, reserves of 1 N.m at the elbow and 100 N.m at the shoulder) on the same trials to fit, with the dumbbell
of each. OpenSim does ``--share`` of the 12 trials a turn, one of each load in turn, and its time is scaled; ``--share 12`` does all.
What both find is not the same: StaticOptimization asks no electrode, and gives no doubt; it is what a laboratory runs where muscles are out
of reach.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import PROGRAM, Contestant, Facts, Measured, need, parser, reference_file, row, run, save, serve, spent

PERSON, TOOL = "S100", "OpenSim StaticOptimization"
RESERVES = {"r_elbow_flex": 1.0, "r_shoulder_elev": 100.0}
SHARE = 3


def trials_to_fit(study: Path) -> list[Facts]:
    """Return the person's trials of role "fit", loads in turn."""
    people = tomllib.loads((study / "study.toml").read_text(encoding="utf-8"))["subject"]
    known = [t for t in next(p for p in people if p["id"] == PERSON)["trial"] if t["role"] == "fit"]
    return sorted(known, key=lambda trial: (trial["name"][6:], trial["load_kg"]))


def opensim_turn(asked: Any) -> Callable[..., Facts]:
    import opensim
    from opensim_tools import analyzed, saved_model, with_reserves

    study = reference_file(asked, "virtual_elbow")
    trials = trials_to_fit(study)

    def turn(first: int, share: int, folder: str) -> Facts:
        seconds, recorded = 0.0, 0.0
        for trial in (trials[(first + at) % len(trials)] for at in range(share)):
            load = f"{trial['load_kg']:.0f}kg"
            model = Path(folder, f"{load}.osim")
            if not model.exists():
                saved_model(study / f"arm26_dumbbell_{load}.osim", model, with_reserves(RESERVES))
            analysis = opensim.StaticOptimization()
            analysis.setUseModelForceSet(True)
            analysis.setActivationExponent(2.0)
            out = Path(folder, "opensim")
            motion = study / trial["kinematics"]
            seconds += analyzed(trial["name"], model, analysis, out, (0.0, 8.0), coordinates=motion)
            recorded += 8.0
        return {"seconds": seconds, "recorded": recorded}

    return turn


def fit(study: Path, out: Path, cache: str, *wishes: str) -> tuple[float, float]:
    """Return seconds and peak memory [MB] of a fit."""
    command = [PROGRAM, "fit", str(study / "study.toml"), *wishes, "--out", str(out), "--overwrite", "--quiet"]
    return spent(command, PROFUNDUS_CACHE=cache)


def people_in(study: Path) -> int:
    """Return how many people a study has."""
    return len(tomllib.loads((study / "study.toml").read_text(encoding="utf-8"))["subject"])


def main() -> None:
    words = parser(__doc__ or "")
    words.add_argument("--share", type=int, default=SHARE, help="trials of the 12 that OpenSim does in a turn")
    asked = words.parse_args()
    if asked.serve:
        serve(opensim_turn(asked))
        return
    need("opensim")
    study = reference_file(asked, "virtual_elbow")
    warm, cold, among, rival = (Measured(name) for name in ("profundus", "profundus", "profundus", TOOL))
    alone, people = ("--subject", PERSON), people_in(study)
    with tempfile.TemporaryDirectory() as name, Contestant(__file__, TOOL, "--reference", asked.reference) as tool:
        folder = Path(name)
        seconds, cold.megabytes = fit(study, folder / "run", str(folder / "cache"), *alone)
        cold.seconds.append(seconds)
        for number in range(min(asked.rounds, 3)):
            seconds, warm.megabytes = fit(study, folder / "run", str(folder / "cache"), *alone)
            warm.seconds.append(seconds)
            seconds, among.megabytes = fit(study, folder / "run", str(folder / "cache"))
            among.seconds.append(seconds / people)
            rival.facts = tool.turn(first=number * asked.share, share=asked.share, folder=name)
            rival.seconds.append(rival.facts["seconds"])
        rival.megabytes = rival.facts["megabytes"]
    scale = len(trials_to_fit(study)) / asked.share
    scaled = f"OpenSim did {asked.share} of 12 trials a turn, its time is scaled by {scale:g}" if scale > 1 else ""
    words_of = {
        "`fit` of a person, compiled programs kept": warm,
        "the same with an empty cache, a first person's": cold,
        f"`fit` of all {people} people, a person's part": among,
    }
    rows = [row(what, ours, rival, scale=scale, note=scaled) for what, ours in words_of.items()]
    save("end_to_end", "A person end to end: 96 s of recordings", rows, asked)


if __name__ == "__main__":
    run(main)
