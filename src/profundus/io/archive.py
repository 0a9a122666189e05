"""A person's whole answer in one netCDF file, that xarray opens and that is weighed before it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from profundus import __version__
from profundus.errors import FileFormatError, Problem
from profundus.io.archive_layout import ANSWERED, DRAWS, MUSCLE, OPTIONAL, VARIABLES, refuse_incomplete, refuse_mixed
from profundus.io.hdf5_check import weigh
from profundus.io.store import write_whole
from profundus.records import Reconstruction, Trial, TrialReconstruction

Floats = NDArray[np.float64]


def to_dataset(rec: Reconstruction) -> xr.Dataset:
    """Return a reconstruction as a Dataset with the axes draw, trial, time [s, from the trial's start], muscle, coordinate.

    Shorter trials are padded with NaN (``samples`` says where). Raises InputError where the trials differ in muscles, coordinates or step.
    """
    refuse_mixed(rec)
    first = rec.trials[0].trial
    lengths = [len(part.trial.time) for part in rec.trials]
    variables = {**_series(rec, max(lengths)), **_draw_variable(rec, max(lengths))}
    per_trial = {
        "load_kg": ([part.trial.load_kg for part in rec.trials], "kg", "load held"),
        "motion": ([part.trial.motion for part in rec.trials], "", "kind of movement"),
        "role": ([part.trial.role for part in rec.trials], "", "fit or test"),
        "start_time": ([part.trial.time[0] for part in rec.trials], "s", "time of the first sample"),
        "samples": (lengths, "1", "number of samples"),
    }
    for name, (values, unit, meaning) in per_trial.items():
        variables[name] = ("trial", np.asarray(values), {"long_name": meaning} | ({"units": unit} if unit else {}))
    time = np.arange(max(lengths)) * first.step
    axes = {
        "trial": [part.trial.name for part in rec.trials],
        "time": ("time", time, {"units": "s", "long_name": "time from the first sample"}),
        "muscle": list(first.muscles),
        "coordinate": list(first.coordinates),
    }
    facts = {"subject": rec.subject, "method": rec.method, "step": first.step, "profundus": __version__}
    return xr.Dataset(variables, axes, facts | {"Conventions": "profundus-1"})


def _series(rec: Reconstruction, length: int) -> dict[str, Any]:
    """Return the variables over trial, time and muscle or coordinate of which at least one trial knows anything."""
    first = rec.trials[0].trial
    variables = {}
    for name, (axes, source, field, unit, meaning) in VARIABLES.items():
        parts = [getattr(part.trial if source == "trial" else part, field) for part in rec.trials]
        if any(part is not None for part in parts):
            width = len(first.muscles if axes is MUSCLE else first.coordinates)
            variables[name] = (axes, _padded(parts, (length, width)), {"units": unit, "long_name": meaning})
    return variables


def _draw_variable(rec: Reconstruction, length: int) -> dict[str, Any]:
    draws = [None if part.draws is None else part.draws.swapaxes(0, 1) for part in rec.trials]
    count = max((part.shape[1] for part in draws if part is not None), default=0)
    if not count:
        return {}
    shape = (length, count, len(rec.trials[0].trial.muscles))
    told = {"units": "1", "long_name": "excitation, draws of the posterior"}
    return {
        "draw": ("draw", np.arange(count)),
        DRAWS: (("draw", *MUSCLE), _padded(draws, shape, np.float32).transpose(2, 0, 1, 3), told),
    }


def from_dataset(dataset: xr.Dataset) -> Reconstruction:
    """Return the reconstruction that a Dataset of ``to_dataset`` holds.

    What is NaN throughout a trial is not known there (None). Raises FileFormatError that lists every missing part.
    """
    refuse_incomplete(dataset)
    columns = {str(name): variable.values for name, variable in dataset.variables.items()}
    trials = tuple(_trial(columns, dataset.attrs, i, int(samples)) for i, samples in enumerate(columns["samples"]))
    return Reconstruction(str(dataset.attrs["method"]), str(dataset.attrs["subject"]), trials)


def _trial(
    columns: Mapping[str, NDArray[Any]], facts: Mapping[Any, Any], place: int, samples: int
) -> TrialReconstruction:
    """Return the trial at a ``place`` of the arrays (trial, time, ...) of an archive."""
    found: dict[str, dict[str, Any]] = {"trial": {}, "answer": {}}
    for name, (_, source, field, *_told) in VARIABLES.items():
        if name in columns and not _unknown(values := columns[name][place, :samples], source, field):
            found[source][field] = values.copy() if values.dtype.kind == "b" else values.astype(np.float64)
    time: Floats = float(columns["start_time"][place]) + np.arange(samples, dtype=np.float64) * float(facts["step"])
    trial = Trial(
        subject=str(facts["subject"]),
        name=str(columns["trial"][place]),
        role="fit" if columns["role"][place] == "fit" else "test",
        muscles=tuple(map(str, columns["muscle"])),
        coordinates=tuple(map(str, columns["coordinate"])),
        time=time,
        load_kg=float(columns["load_kg"][place]),
        motion=str(columns["motion"][place]) if "motion" in columns else "",
        **found["trial"],
    )
    draws = _known_draws(columns[DRAWS][:, place, :samples]) if DRAWS in columns else None
    return TrialReconstruction(trial, draws=draws, **found["answer"])


def as_held(dataset: xr.Dataset) -> xr.Dataset:
    """Return a Dataset of ``to_dataset`` as its archive will hold it: answers in 32 bits."""
    rounded = {name: dataset[name].astype(np.float32) for name in dataset.data_vars if name in ANSWERED}
    return dataset.assign(rounded)


def write_archive(answer: xr.Dataset | Reconstruction, path: Path) -> None:
    """Write a reconstruction as netCDF-4, whole, compressed and with checksums.

    What was measured keeps its bits; what a method answers is rounded to 32-bit floats (relative error below 1e-7).
    """
    dataset = to_dataset(answer) if isinstance(answer, Reconstruction) else answer.drop_encoding()
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind in "UO":
            encoding[str(name)] = {"dtype": "S1"}  # characters of fixed length: nothing in the file points elsewhere
        elif variable.ndim > 1:
            encoding[str(name)] = {"zlib": True, "complevel": 4, "shuffle": True, "fletcher32": True}
            if name in ANSWERED:
                encoding[str(name)]["dtype"] = "float32"
    # made in memory: HDF5 does not survive a full disk quietly
    write_whole(path, dataset.to_netcdf(engine="h5netcdf", encoding=encoding))


def read_archive(path: Path, *, without: Sequence[str] = ()) -> xr.Dataset:
    """Return the Dataset of an archive, loaded, ``without`` some of its variables.

    Plain ``xarray.open_dataset(path, engine="h5netcdf")`` reads it, too.
    Sizes, links and types are held against the file before anything is allocated. Raises MissingFileError, UnsafeInputError (it lies about
    its sizes, or points out of itself) or FileFormatError (truncated, damaged, not netCDF-4).
    """
    weigh(path)
    try:
        with xr.open_dataset(path, engine="h5netcdf", drop_variables=list(without)) as dataset:
            return dataset.load()
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            Problem("error", f"cannot be read as netCDF-4 ({error})", file=str(path), remedy="Make the archive again")
        ) from error


def _padded(
    parts: Sequence[NDArray[Any] | None], shape: tuple[int, ...], kind: type[np.floating] = np.float64
) -> NDArray[Any]:
    """Return the parts (time, ...) as one array (trial, *shape), NaN (or False) where a part has no value."""
    if len(parts) == 1 and parts[0] is not None and parts[0].shape == shape:
        return parts[0][None]
    flags = all(part is not None and part.dtype == np.bool_ for part in parts)
    whole = np.zeros((len(parts), *shape), np.bool_) if flags else np.full((len(parts), *shape), np.nan, kind)
    for filled, part in zip(whole, parts, strict=True):
        if part is not None:
            filled[tuple(slice(0, n) for n in part.shape)] = part
    return whole


def _unknown(values: NDArray[Any], source: str, field: str) -> bool:
    return source == "answer" and field in OPTIONAL and bool(np.isnan(values).all())


def _known_draws(draws: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the draws (draw, time, muscle) that a trial has."""
    known = draws[~np.isnan(draws).all(axis=(1, 2))]
    return known if len(known) else None
