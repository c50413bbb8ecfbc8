"""Choices made from predictions: pseudo-labels, thresholds, component sizes; no torch."""
