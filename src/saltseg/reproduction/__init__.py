"""Recorded runs: find, verify, reproduce and compare them."""
