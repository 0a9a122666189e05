"""Steppers, splines and solvers that know no biology."""
