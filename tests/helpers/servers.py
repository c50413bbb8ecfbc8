"""A PostgreSQL and an MLflow server on it, each started and stopped by the tests themselves."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 400
"""Seconds that a server may take to answer on a busy machine."""


def find_postgres() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).parent if found else debian[-1].parent if debian else None


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """Run a new PostgreSQL and yield its address: a socket in a folder that others can't enter."""
    folder = Path(tempfile.mkdtemp(prefix="saltseg-pg-"))  # short, as the path of a socket must be
    user = None
    if os.getuid() == 0:  # PostgreSQL refuses to run as root; its Debian package makes a user
        user = "postgres"
        shutil.chown(folder, user)
    data = folder / "data"
    options: list[str | Path] = ["--auth=trust", "--username=saltseg", "--encoding=UTF8"]
    try:
        subprocess.run(
            [programs / "initdb", *options, "--pgdata", data],
            cwd=folder, user=user, check=True, capture_output=True,
        )  # fmt: skip
        settings: list[str | Path] = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", folder]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *settings],
                cwd=folder, user=user, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            wait_until((folder / ".s.PGSQL.5432").exists, process, folder / "log")
            yield f"postgresql+psycopg2://saltseg@/postgres?host={folder}"
        finally:
            process.terminate()
            process.wait(PATIENCE)
    finally:
        shutil.rmtree(folder)


@contextmanager
def mlflow_server(store: str, folder: Path) -> Iterator[str]:
    """Run `mlflow server` on a database; it serves the artifacts in `folder`. Yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
    command += ["--serve-artifacts", "--artifacts-destination", str(folder / "artifacts")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # Runs and pages are all that the tests want: no queue of jobs, no word to the outside.
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    log = folder / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=kept | quiet, stdout=stream, stderr=stream
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(address), process, log)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        return int(channel.getsockname()[1])


def wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for a server that is starting; show its log where it ends instead."""
    until = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"a server did not start:\n{log.read_text()}")
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
