"""What is chosen from predictions: pseudo-labels, thresholds, component sizes; no torch."""
