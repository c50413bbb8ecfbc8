"""A local database of an older MLflow, brought to the schema of the installed one."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from mlflow.store.db.utils import _get_latest_schema_revision

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import whole_file
from saltseg.tracking.address import database_uri


def is_outdated(database: Path) -> bool:
    """Tell whether a database has a schema other than the installed MLflow's.

    MLflow refuses some of these and upgrades the others without a copy.
    """
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.OperationalError:  # no such table: nothing is in it yet
        return False
    return found != [(_get_latest_schema_revision(),)]


def upgrade(database: Path) -> None:
    """Upgrade an SQLite database in place, after a copy beside it.

    To be called under the store's lock. Raises InputError, which names the copy, where MLflow
    can't, as with a database that a newer MLflow has made.
    """
    copy = database.with_name(f"before-mlflow-{version('mlflow')}.db")
    if not copy.exists():  # of an earlier attempt, which may have got half-way
        _copy(database, copy)
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", database_uri(database)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(
            f"{database.parent.name}/{database.name} is of another MLflow ({reason}): install that"
            f" one, or move the file away; {copy.name} is a copy"
        )


def _copy(database: Path, copy: Path) -> None:
    """Copy what is committed, also while a server has the database open."""
    with (
        whole_file(copy) as temporary,
        closing(sqlite3.connect(database)) as source,
        closing(sqlite3.connect(temporary)) as target,
    ):
        source.backup(target)
