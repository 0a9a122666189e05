"""What stands in an archive: variables, axes, units; and what is refused for not fitting in."""

from __future__ import annotations

import numpy as np
import xarray as xr

from profundus.errors import FileFormatError, InputError, Problem
from profundus.records import Reconstruction

MUSCLE, COORDINATE = ("trial", "time", "muscle"), ("trial", "time", "coordinate")
# variable: (axes, where it comes from, attribute, unit, meaning)
VARIABLES: dict[str, tuple[tuple[str, ...], str, str, str, str]] = {
    "excitation": (MUSCLE, "answer", "excitation", "1", "excitation, posterior mean, fraction of maximum"),
    "lower": (MUSCLE, "answer", "lower", "1", "excitation, lower end of the 90 % band"),
    "upper": (MUSCLE, "answer", "upper", "1", "excitation, upper end of the 90 % band"),
    "activation": (MUSCLE, "answer", "activation", "1", "muscle activation"),
    "tendon_force": (MUSCLE, "answer", "tendon_force", "N", "tendon force"),
    "fiber_length": (MUSCLE, "answer", "fiber_length", "m", "fiber length"),
    "moment_model": (COORDINATE, "answer", "moment", "N.m", "joint moment of the model"),
    "moment_measured": (COORDINATE, "trial", "moment", "N.m", "joint moment of inverse dynamics"),
    "moment_valid": (COORDINATE, "trial", "moment_valid", "1", "whether the measured moment is to be trusted"),
    "angle": (COORDINATE, "trial", "angle", "rad", "joint angle"),
    "velocity": (COORDINATE, "trial", "velocity", "rad/s", "joint angular velocity"),
    "acceleration": (COORDINATE, "trial", "acceleration", "rad/s2", "joint angular acceleration"),
    "emg": (MUSCLE, "trial", "emg", "1", "measured EMG envelope, fraction of maximum"),
    "emg_valid": (MUSCLE, "trial", "emg_valid", "1", "whether the measured envelope is to be trusted"),
    "truth": (MUSCLE, "trial", "truth", "1", "known excitation, for scores only"),
}
OPTIONAL = ("activation", "tendon_force", "fiber_length", "moment")
DRAWS = "excitation_draws"
ANSWERED = {name for name, (_, source, *_rest) in VARIABLES.items() if source == "answer"} | {DRAWS}


def refuse_mixed(rec: Reconstruction) -> None:
    """Raise InputError where the trials cannot share axes: other muscles or coordinates, another step, or the same name."""
    if not rec.trials:
        raise InputError(Problem("error", f"{rec.subject}: a reconstruction without trials"))
    first = rec.trials[0].trial
    names = [part.trial.name for part in rec.trials]
    problems = [
        Problem("error", f"two trials have the name {name}") for name in sorted(set(names)) if names.count(name) > 1
    ]
    for trial in (part.trial for part in rec.trials):
        if trial.muscles != first.muscles or trial.coordinates != first.coordinates:
            problems.append(Problem("error", f"{trial.name} has other muscles or coordinates than {first.name}"))
        if abs(trial.step - first.step) > 1e-6 * first.step:
            problems.append(
                Problem("error", f"{trial.name} has a step of {trial.step:g} s", expected=f"{first.step:g} s")
            )
    if problems:
        raise InputError(problems)


def refuse_incomplete(dataset: xr.Dataset) -> None:
    """Raise FileFormatError that lists everything that a reconstruction needs and the Dataset lacks."""
    needed = {
        name: axes
        for name, (axes, source, field, *_) in VARIABLES.items()
        if source == "trial" or field not in OPTIONAL
    }
    needed |= dict.fromkeys(("load_kg", "role", "start_time", "samples"), ("trial",))
    problems = [
        Problem(
            "error",
            f"'{name}' has the axes {dataset[name].dims}" if name in dataset else f"there is no '{name}'",
            expected=str(axes),
        )
        for name, axes in needed.items()
        if name not in dataset or dataset[name].dims != axes
    ]
    problems += [
        Problem("error", f"there is no attribute '{key}'")
        for key in ("subject", "method", "step")
        if key not in dataset.attrs
    ]
    problems += [
        Problem("error", f"there are no names on the axis '{key}'")
        for key in ("trial", "muscle", "coordinate")
        if key not in dataset.coords
    ]
    if not problems and not np.all((dataset["samples"] >= 2) & (dataset["samples"] <= dataset.sizes["time"])):
        problems.append(
            Problem("error", "'samples' does not fit the time axis", expected=f"2 to {dataset.sizes['time']}")
        )
    if not problems and not np.all(np.isin(dataset["role"].values, ["fit", "test"])):
        problems.append(Problem("error", "'role' is neither fit nor test"))
    if problems:
        raise FileFormatError(problems)
