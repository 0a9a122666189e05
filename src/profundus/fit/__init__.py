"""Priors, losses and training: Trials to a fitted subject."""
