"""The judge: metrics, scores and plausibility."""
