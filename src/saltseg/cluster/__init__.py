"""Training matrix items in parallel."""
