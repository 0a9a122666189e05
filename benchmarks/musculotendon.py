"""Musculotendon states a second and peak memory: ``python benchmarks/musculotendon.py --reference FOLDER``.

The same states of Arm26 (motion and activations of recorded trials) through OpenSim's MuscleAnalysis (Analyze tool) and this package, in
turn: both read a file of states, find paths, moment arms, fiber equilibrium and forces, and write tables. OpenSim writes all 20 that it
has, one thread; this package the five that the comparison needs, all cores. Samples are equilibria, each for itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Facts, contest, need, parser, reference_file, rounded, row, run, save, serve
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PERSON, MODEL = "S100", "arm26.osim"
ELBOW = "r_elbow_flex"
TRIALS = ("load0_01_cyclic", "load2_05_steps", "load4_01_cyclic", "load4_06_pulses")
CASES = {
    "De Groote's muscle, rigid tendon": ("degroote", "rigid"),
    "De Groote's muscle, compliant tendon": ("degroote", "compliant"),
    "Thelen's muscle, compliant tendon": ("thelen", "compliant"),
}
TABLES = ("TendonForce", "FiberLength", "Length", f"MomentArm_{ELBOW}", f"Moment_{ELBOW}")


def states_of(study: Path) -> tuple[dict[str, Floats], Floats]:
    """Return the states of recorded trials, one after the other, by the ends of their names in OpenSim, and a clock of 100 Hz."""
    from profundus.io.tables import read_table

    columns: dict[str, list[Floats]] = {}
    for trial in TRIALS:
        motion = read_table(study / PERSON / trial / "kinematics.mot")
        truth = read_table(study / PERSON / trial / "truth_forces.sto")
        angle = np.deg2rad(motion[ELBOW])
        columns.setdefault(f"{ELBOW}/value", []).append(angle)
        columns.setdefault(f"{ELBOW}/speed", []).append(np.gradient(angle, 0.01))
        for label in truth.labels:
            if label.endswith("activation"):
                columns.setdefault(f"{label.removesuffix('_activation')}/activation", []).append(truth[label])
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return joined, np.arange(len(joined[f"{ELBOW}/value"])) / 100.0


def opensim_turn(asked: Any) -> Callable[..., Facts]:
    import opensim
    from opensim_tools import analyzed, degroote, saved_model, write_states

    study = reference_file(asked, "virtual_elbow")
    columns, clock = states_of(study)
    made: set[str] = set()

    def turn(muscle: str, tendon: str, folder: str) -> Facts:
        name = f"{muscle}_{tendon}"
        model, states = Path(folder, f"{name}.osim"), Path(folder, f"{name}.sto")
        if name not in made:
            change = degroote(rigid=tendon == "rigid") if muscle == "degroote" else lambda _: None
            saved_model(study / MODEL, model, change)
            write_states(model, states, columns, clock)
            made.add(name)
        analysis = opensim.MuscleAnalysis()
        analysis.setComputeMoments(True)
        span = (float(clock[0]), float(clock[-1]))
        return {"seconds": analyzed(name, model, analysis, Path(folder, "opensim"), span, states=states)}

    return turn


def our_turn(asked: Any) -> Callable[..., Facts]:
    import jax

    from profundus.fit.compiled import keep_compiled
    from profundus.io.anatomy import read_anatomy
    from profundus.io.tables import read_table, write_table
    from profundus.model.musculoskeletal import MusculoskeletalModel
    from profundus.muscle.registry import muscle_model, tendon_model
    from profundus.records import Table

    keep_compiled()
    model = MusculoskeletalModel(read_anatomy("arm26"))
    muscles = model.generic_parameters.muscles

    def computed(muscle: str, tendon: str) -> Any:
        fibers = muscle_model(muscle, passive_strain_at_one=model.passive_strain_at_one)
        pull = tendon_model(tendon, muscle=muscle, strain_at_one=model.tendon_strain_at_one)

        @jax.jit
        def found(active: Any, angle: Any, speed: Any) -> Any:
            paths = model.geometry(angle, speed)
            state = pull(fibers, muscles, active, paths.path_length, paths.path_velocity)
            arm = paths.moment_arm[:, 0]
            return state.tendon_force, state.fiber_length, paths.path_length, arm, arm * state.tendon_force

        return found

    programs = {case: computed(*case) for case in CASES.values()}

    def turn(muscle: str, tendon: str, folder: str) -> Facts:
        began = time.perf_counter()
        table = read_table(Path(folder, f"{muscle}_{tendon}.sto"))
        ends = {label.split("/")[-2] + "/" + label.split("/")[-1]: label for label in table.labels}
        active = np.column_stack([table[ends[f"{name}/activation"]] for name in model.muscles])
        motion = [table[ends[f"{ELBOW}/{what}"]][:, None] for what in ("value", "speed")]
        started = time.perf_counter()
        found = [np.asarray(part, float) for part in programs[muscle, tendon](active, *motion)]
        computing = time.perf_counter() - started
        for name, values in zip(TABLES, found, strict=True):
            write_table(Table(model.muscles, table.time, values, name, in_degrees=False), Path(folder, f"{name}.sto"))
        return {"seconds": time.perf_counter() - began, "computing": computing, "states": active.size}

    return turn


def agreement(folder: Path, name: str) -> str:
    """Return how far our tables are from OpenSim's, over all muscles and samples."""
    from profundus.io.anatomy import read_anatomy
    from profundus.io.tables import read_table

    anatomy = read_anatomy("arm26")
    strength = dict(zip(anatomy.muscles, anatomy.max_isometric_force, strict=True))
    off = {}
    for table in TABLES[:4]:
        ours = read_table(folder / f"{table}.sto")
        theirs = read_table(folder / "opensim" / f"{name}_MuscleAnalysis_{table}.sto")
        scale = strength if table == "TendonForce" else dict.fromkeys(strength, 1e-3)
        off[table] = np.column_stack([(ours[m] - theirs[m]) / scale[m] for m in anatomy.muscles])
    force = np.abs(off["TendonForce"])
    return (
        f"force within {rounded(100 * np.quantile(force, 0.99), 2):g} % of maximum in 99 % of states,"
        f" {rounded(100 * force.max(), 2):g} % at worst;"
        f" moment arms within {rounded(np.abs(off[TABLES[3]]).max(), 2):g} mm"
    )


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    if asked.serve:
        serve({"OpenSim MuscleAnalysis": opensim_turn, "profundus": our_turn}[asked.serve](asked))
        return
    need("opensim")
    reference_file(asked, "virtual_elbow")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for what, (muscle, tendon) in CASES.items():
            names = ("OpenSim MuscleAnalysis", "profundus")
            theirs, ours = contest(
                __file__, names, min(asked.rounds, 3), "--reference", asked.reference,
                muscle=muscle, tendon=tendon, folder=folder,
            )  # fmt: skip
            line = row(what, ours, theirs, agreement=agreement(Path(folder), f"{muscle}_{tendon}"))
            states = ours.facts["states"]
            rate = {side: rounded(states / line[side]["seconds"], 3) for side in ("ours", "rival")}
            alone = rounded(states / ours.facts["computing"], 3)
            note = f"{rate['ours']:,.0f} musculotendon states a second (computing alone {alone:,.0f}), OpenSim {rate['rival']:,.0f}"
            rows.append({**line, "note": note, "states_a_second": rate})
    save("musculotendon", "Musculotendon states of Arm26", rows, asked)


if __name__ == "__main__":
    run(main)
