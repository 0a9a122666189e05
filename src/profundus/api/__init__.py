"""profundus from Python: load a model or a study, fit, reconstruct. The same as the commands."""

from profundus.api.models import load_model, pretrain
from profundus.api.results import Comparison, Run, reconstruct
from profundus.api.studies import advise, cohort, compare, fit, load_study
from profundus.io.tables import read_table, write_table

__all__ = [
    "Comparison",
    "Run",
    "advise",
    "cohort",
    "compare",
    "fit",
    "load_model",
    "load_study",
    "pretrain",
    "read_table",
    "reconstruct",
    "write_table",
]
