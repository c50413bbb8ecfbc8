"""Upgrading a local database of an older MLflow to the installed one's schema."""

import filecmp
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.store.db.utils import _get_latest_schema_revision

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import whole_file
from saltseg.tracking.address import database_uri


def is_outdated(database: Path) -> bool:
    """Tell whether a database's schema differs from the installed MLflow's.

    MLflow rejects some of these, and upgrades others without a backup.
    """
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.OperationalError:  # no such table: the database is empty
        return False
    return found != [(_get_latest_schema_revision(),)]


def upgrade(database: Path) -> None:
    """Upgrade an SQLite database in place, after making a backup beside it.

    Call it under the store's lock. Raises InputError, which names the backup, if MLflow cannot
    upgrade it, for example because a newer MLflow made it.
    """
    copy = _back_up(database)
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", database_uri(database)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(
            f"{database.parent.name}/{database.name}: is of another MLflow version ({reason});"
            f" install that version, or move the file away; {copy.name} is a backup"
        )


def _back_up(database: Path) -> Path:
    """Return a backup of just this content: an earlier one, or a new one beside those.

    None is lost: an upgrade that failed may have left the database half upgraded.
    """
    start = f"before-mlflow-{version('mlflow')}"
    ends = chain([""], (f"-{number}" for number in count(2)))
    copies = (database.with_name(f"{start}{end}.db") for end in ends)
    with TemporaryDirectory(prefix=".backup-", dir=database.parent) as folder:
        fresh = Path(folder, database.name)
        _copy(database, fresh)
        return fresh.replace(next(each for each in copies if _may_become(fresh, each)))


def _may_become(fresh: Path, copy: Path) -> bool:
    """Tell whether a backup's name is free, or holds the same content."""
    return not copy.exists() or filecmp.cmp(fresh, copy, shallow=False)


def _copy(database: Path, copy: Path) -> None:
    """Copy the committed data, even while a server has the database open."""
    with (
        whole_file(copy) as temporary,
        closing(sqlite3.connect(database)) as source,
        closing(sqlite3.connect(temporary)) as target,
    ):
        source.backup(target)
