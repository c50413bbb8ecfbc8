"""Where MLflow's store is; known without importing MLflow, which takes seconds."""

import os
from pathlib import Path


def server_uri() -> str | None:
    """Return the address of the tracking server that is set; an empty one counts as none."""
    return os.environ.get("MLFLOW_TRACKING_URI") or None


def database(folder: Path) -> Path:
    """Return the SQLite database of the checkout whose mlruns is `folder`."""
    return folder / "mlflow.db"


def store_uri(folder: Path) -> str:
    """Return the address of the server that is set, or of the database in `folder`."""
    return server_uri() or f"sqlite:///{database(folder)}"


def has_store(folder: Path) -> bool:
    """Tell whether there is a store to ask: opening one that is not there would make it."""
    return server_uri() is not None or database(folder).exists()
