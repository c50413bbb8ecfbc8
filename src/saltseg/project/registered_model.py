"""The trained pipeline's name in MLflow's registry, for code that does not import MLflow."""

NAME = "saltseg"
"""Name of the registered model; each pipeline run may add a version."""

ALIAS = "champion"
"""Alias of the version in use."""

CHAMPION = f"models:/{NAME}@{ALIAS}"
"""The address of the version in use."""
