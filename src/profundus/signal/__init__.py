"""Recording to Trial: filters, envelopes, clocks, quality."""

from profundus.signal.assembly import assemble_trial, assemble_trials
from profundus.signal.normalization import emg_scale

__all__ = ["assemble_trial", "assemble_trials", "emg_scale"]
