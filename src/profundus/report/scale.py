"""Which error leads a page: where envelopes have no scale of their own, only what is left after one factor a muscle means something."""

from __future__ import annotations

from collections.abc import Mapping

from profundus.validate.paired import Error

NO_SCALE = (
    'The envelopes are not normalized (normalization = "none"): amplitudes of different muscles mean nothing beside each other. Errors are '
    "those after one factor a muscle on the answer, the copy's included; read the time course alone."
)


def leading_error(provenance: Mapping[str, object]) -> Error:
    """Return the column of scores that leads: "rmse_scaled" of a study whose envelopes are not normalized, else "rmse"."""
    emg = provenance.get("emg")
    return "rmse_scaled" if isinstance(emg, Mapping) and emg.get("normalization") == "none" else "rmse"
