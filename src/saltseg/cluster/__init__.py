"""Training items side by side."""
