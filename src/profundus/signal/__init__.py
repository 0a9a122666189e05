"""Recording to Trial: filters, envelopes, clocks, quality."""

from profundus.signal.assembly import assemble_trial, assemble_trials
from profundus.signal.normalization import emg_scale
from profundus.signal.quality import quality_problems, quality_table

__all__ = ["assemble_trial", "assemble_trials", "emg_scale", "quality_problems", "quality_table"]
