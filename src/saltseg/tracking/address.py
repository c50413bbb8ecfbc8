"""The address of MLflow's store, found without importing MLflow, which takes seconds."""

import os
import re
from pathlib import Path

from saltseg.plumbing.errors import InputError, without_password

_SERVERS = ("http", "https", "databricks", "databricks-uc")
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_ADDRESS = re.compile(rf"(?:(?:{'|'.join(_SERVERS)})|(?:{'|'.join(_DATABASES)})(?:\+\w+)?)://.+")


def server_uri() -> str | None:
    """Return the tracking server's address, MLFLOW_TRACKING_URI; None if it is unset or blank.

    Raises InputError if MLflow cannot keep runs there.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if uri and not (_ADDRESS.fullmatch(uri) or uri in ("databricks", "databricks-uc")):
        raise InputError(
            f"MLFLOW_TRACKING_URI: {without_password(uri)!r} is not a store's address; give"
            " http://HOST:PORT or sqlite:////FOLDER/mlflow.db, or unset it for the database in"
            " mlruns"
        )
    return uri or None


def database(folder: Path) -> Path:
    """Return the SQLite database of the checkout whose mlruns is `folder`."""
    return folder / "mlflow.db"


def database_uri(path: Path) -> str:
    """Return the address of an SQLite database, as SQLAlchemy quotes it.

    If quoting changes the path, the address names the driver: with a plain `sqlite:///`, MLflow
    would create a folder of the quoted name.
    """
    if not re.search(r"[^\w/. -]", str(path), re.ASCII):
        return f"sqlite:///{path}"
    from sqlalchemy.engine import URL  # slow to import, and rarely needed

    return str(URL.create("sqlite+pysqlite", database=str(path)))


def store_uri(folder: Path) -> str:
    """Return the tracking server's address, or that of the database in `folder`."""
    return server_uri() or database_uri(database(folder))


def has_store(folder: Path) -> bool:
    """Tell whether there is a store: opening a missing one would create it."""
    return server_uri() is not None or database(folder).exists()
