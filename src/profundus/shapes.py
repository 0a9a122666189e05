"""The axis words used in shape annotations, in their one order: draw, trial, time, coordinate, muscle."""

DRAW = "draw"
TRIAL = "trial"
TIME = "time"
COORDINATE = "coordinate"
MUSCLE = "muscle"
