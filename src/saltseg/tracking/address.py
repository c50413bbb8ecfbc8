"""Where MLflow's store is; known without importing MLflow, which takes seconds."""

import os
import re
from pathlib import Path

from saltseg.plumbing.errors import InputError

_SERVERS = ("http", "https", "databricks", "databricks-uc")
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_ADDRESS = re.compile(rf"(?:(?:{'|'.join(_SERVERS)})|(?:{'|'.join(_DATABASES)})(?:\+\w+)?)://.+")


def server_uri() -> str | None:
    """Return the address of the tracking server that is set; a blank one counts as none.

    Raises InputError where it is none that MLflow can keep runs at.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if uri and not (_ADDRESS.fullmatch(uri) or uri in ("databricks", "databricks-uc")):
        raise InputError(
            f"MLFLOW_TRACKING_URI: {uri!r} is the address of no store; give http://HOST:PORT or"
            " sqlite:////FOLDER/mlflow.db, or unset it for the database in mlruns"
        )
    return uri or None


def database(folder: Path) -> Path:
    """Return the SQLite database of the checkout whose mlruns is `folder`."""
    return folder / "mlflow.db"


def database_uri(path: Path) -> str:
    """Return the address of an SQLite database, as SQLAlchemy quotes it.

    Where that is not the plain path, the driver is named: of `sqlite:///` alone MLflow takes the
    quoted path for a folder to make.
    """
    if not re.search(r"[^\w/. -]", str(path), re.ASCII):
        return f"sqlite:///{path}"
    from sqlalchemy.engine import URL  # in a fraction of a second, which most paths save

    return str(URL.create("sqlite+pysqlite", database=str(path)))


def store_uri(folder: Path) -> str:
    """Return the address of the server that is set, or of the database in `folder`."""
    return server_uri() or database_uri(database(folder))


def has_store(folder: Path) -> bool:
    """Tell whether there is a store to ask: opening one that is not there would make it."""
    return server_uri() is not None or database(folder).exists()
