"""What runs several stages in a row: check, fit, reconstruct, resume."""
