"""Errors, files, seeds, progress, the machine: what knows neither field nor torch."""
