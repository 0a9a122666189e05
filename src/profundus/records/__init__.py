"""What is handed from room to room: frozen values that know their validity and nothing else."""

from profundus.records.advice import Advice, AdviceRow
from profundus.records.anatomy import Anatomy, CoordinateRange, MuscleRow, PathFit, PathProducts, PathSpline
from profundus.records.calibration import CalibratedRow, Calibration, Observation
from profundus.records.fitting import FitSettings, LossSettings, NetworkSettings
from profundus.records.inverse_dynamics import ExternalForces, HeldLoad, InverseDynamics
from profundus.records.parameters import DecidedRow, ParameterRow, TradeOff
from profundus.records.quality import EmgScale, QualityRow
from profundus.records.recipe import LearningSettings, Recipe, TeachersSettings, View
from profundus.records.reconstruction import Flag, Reconstruction, TrialReconstruction
from profundus.records.recording import Exclusion, Recording, Subject
from profundus.records.scorecard import Scorecard, ScoreRow
from profundus.records.study import EmgSettings, Study
from profundus.records.table import Table
from profundus.records.trial import Trial
from profundus.records.virtual import LIMB_FAMILIES, GivenMotion, PopulationSettings, VirtualPerson

__all__ = [
    "LIMB_FAMILIES",
    "Advice",
    "AdviceRow",
    "Anatomy",
    "CalibratedRow",
    "Calibration",
    "CoordinateRange",
    "DecidedRow",
    "EmgScale",
    "EmgSettings",
    "Exclusion",
    "ExternalForces",
    "FitSettings",
    "Flag",
    "GivenMotion",
    "HeldLoad",
    "InverseDynamics",
    "LearningSettings",
    "LossSettings",
    "MuscleRow",
    "NetworkSettings",
    "Observation",
    "ParameterRow",
    "PathFit",
    "PathProducts",
    "PathSpline",
    "PopulationSettings",
    "QualityRow",
    "Recipe",
    "Reconstruction",
    "Recording",
    "ScoreRow",
    "Scorecard",
    "Study",
    "Subject",
    "Table",
    "TeachersSettings",
    "TradeOff",
    "Trial",
    "TrialReconstruction",
    "View",
    "VirtualPerson",
]
