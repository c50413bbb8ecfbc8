"""Whether MLflow's store can be reached."""

import time
from pathlib import Path

from saltseg.plumbing.errors import InputError, without_password
from saltseg.plumbing.layout import Layout
from saltseg.project.health import Finding, State
from saltseg.tracking.address import has_store, server_uri, store_uri


def check_store(root: Path) -> Finding:
    """Ask the store for its experiments. A server that does not answer is needed but missing.

    A local database that does not exist yet is fine: the first run makes it.
    """
    folder = Layout(root).mlruns
    try:
        if not has_store(folder):
            return Finding("MLflow", State.WELL, "the first run makes its database in mlruns")
        from saltseg.tracking.store import open_store, reached_store  # MLflow takes seconds

        with reached_store(folder):
            client = open_store(folder)
            started = time.monotonic()
            count = len(client.search_experiments())
        took = time.monotonic() - started
    except InputError as error:
        return Finding("MLflow", State.NEEDED, str(error))
    kind = "server" if server_uri() else "database"
    place = without_password(store_uri(folder))
    return Finding("MLflow", State.WELL, f"{kind} {place}: {count} experiments, {took:.1f} s")
