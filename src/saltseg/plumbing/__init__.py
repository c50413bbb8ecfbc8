"""Errors, files, seeds, progress, the machine: independent of the field and of torch."""
