"""Updating artifact addresses in a local database after its checkout was moved or copied.

MLflow stores the address of every artifact as an absolute path, and has no command to change it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("runs", "artifact_uri"),
)
"""Tables and columns with the address of an artifact or of an artifact folder."""


def artifact_folder(folder: Path) -> Path:
    """Return the artifact folder of the store in `folder`."""
    return folder / "artifacts"


def relocate(database: Path) -> None:
    """Point a database with the current MLflow schema to the artifacts beside it.

    Only addresses in another checkout's artifact folder change; an artifact location that the user
    chose for an experiment is kept. Call it under the store's lock.
    """
    here = artifact_folder(database.parent)
    if not here.is_dir():
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        for place in _places(connection):
            if _is_elsewhere(place, here):
                _replace(connection, place, here.as_uri())


def _places(connection: sqlite3.Connection) -> list[str]:
    """Return the experiments' artifact locations; [] for a new database without tables."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
        return []
    found = connection.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    return [place for (place,) in found if place]


def _is_elsewhere(place: str, here: Path) -> bool:
    """Tell whether an address is the artifact folder of another checkout than `here`."""
    parsed = urlparse(place)
    path = Path(url2pathname(parsed.path))
    named = parsed.scheme == "file" and path.parts[-2:] == here.parts[-2:]
    return named and path.resolve() != here.resolve()


def _replace(connection: sqlite3.Connection, before: str, after: str) -> None:
    """Replace `before` by `after` at the start of every address."""
    for table, column in _ADDRESSES:
        connection.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
            f" WHERE instr({column} || '/', ?) = 1",
            (after, len(before) + 1, f"{before}/"),
        )
