"""MLflow's pages of this checkout's runs, at a free port.

    python -m saltseg.tracking.ui [PORT]

`make ui` calls it, with PORT=... if that is given.
"""

import logging
import os
import socket
import sys
from contextlib import closing
from pathlib import Path

from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.layout import Layout, check_project
from saltseg.tracking.address import database, database_uri
from saltseg.tracking.run_list import address_of_runs, show_scores
from saltseg.tracking.store import open_client, open_experiment, reached_store, store_lock

_FIRST, _LAST = 5000, 5099
_HOST = "127.0.0.1"


def free_port(wanted: int | None) -> int:
    """Return `wanted`, or the first free port from 5000 on. Raises InputError without one."""
    for port in [wanted] if wanted else range(_FIRST, _LAST + 1):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as MLflow's server
            try:
                probe.bind((_HOST, port))
            except (OSError, OverflowError):
                continue
        return port
    if wanted:
        raise InputError(f"PORT={wanted}: is in use or not allowed; leave it out for a free one")
    raise InputError(f"ports {_FIRST} to {_LAST}: are all in use; give another as PORT=")


def prepared_address(root: Path, port: int) -> str:
    """Bring the store of the checkout `root` up to date; return the address of its runs."""
    folder = Layout(root).mlruns
    folder.mkdir(exist_ok=True)
    uri = database_uri(database(folder))
    with reached_store(folder), store_lock(folder):
        client = open_client(uri, folder)
        experiment = open_experiment(client, uri, folder)
        show_scores(client, experiment)
    return address_of_runs(f"http://{_HOST}:{port}", experiment)


def main(words: list[str]) -> None:
    """Print the address and become MLflow's server."""
    wanted = words[0] if words else ""
    if not (wanted == "" or (wanted.isascii() and wanted.isdigit())):
        raise InputError(f"PORT={wanted}: is not a number")
    check_project(Path())
    port = free_port(int(wanted) if wanted else None)
    print(f"open {prepared_address(Path(), port)}", flush=True)
    store = database_uri(database(Layout(Path()).mlruns))
    options = [
        "--backend-store-uri",
        store,
        "--registry-store-uri",
        store,
        "--host",
        _HOST,
        "--port",
        str(port),
    ]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *options])


if __name__ == "__main__":
    logging.disable(logging.INFO)  # no news of a new database's tables
    with one_line_errors():
        main(sys.argv[1:])
