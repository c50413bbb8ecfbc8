"""A local database whose checkout was moved or copied, made to find its artifacts again.

MLflow keeps the place of every artifact as an absolute address, and has no command to change one.
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
"""Tables and columns with the address of an artifact, or of a folder of them."""


def artifact_folder(folder: Path) -> Path:
    """Return where the artifacts of the store in `folder` lie: beside its database."""
    return folder / "artifacts"


def relocate(database: Path) -> None:
    """Point a database of MLflow's present schema to the artifacts that lie beside it.

    Only addresses below another checkout's folder of artifacts change: who gave an experiment a
    place of its own keeps it. To be called under the store's lock.
    """
    here = artifact_folder(database.parent)
    if not here.is_dir():
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        for place in _places(connection):
            if _is_elsewhere(place, here):
                _replace(connection, place, here.as_uri())


def _places(connection: sqlite3.Connection) -> list[str]:
    """Return where the experiments keep their artifacts; nothing where no table is made yet."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
        return []
    found = connection.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    return [place for (place,) in found if place]


def _is_elsewhere(place: str, here: Path) -> bool:
    """Tell whether an address is that of another folder by the same names as `here`."""
    parsed = urlparse(place)
    path = Path(url2pathname(parsed.path))
    named = parsed.scheme == "file" and path.parts[-2:] == here.parts[-2:]
    return named and path.resolve() != here.resolve()


def _replace(connection: sqlite3.Connection, before: str, after: str) -> None:
    """Put `after` in place of `before` at the start of every address."""
    for table, column in _ADDRESSES:
        connection.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
            f" WHERE instr({column} || '/', ?) = 1",
            (after, len(before) + 1, f"{before}/"),
        )
