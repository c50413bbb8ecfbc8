"""Servers that answer what no MLflow server answers, or never come to an end."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from saltseg.plumbing.errors import InputError
from saltseg.tracking import store
from saltseg.tracking.experiments import sync_experiments
from saltseg.tracking.time_limits import StoreError, time_limit
from tests.helpers.store_questions import ask_for_champion, fetch_champion, log_a_table
from tests.tracking.conftest import Start, under

ANSWERS = {
    "object": b"{}",
    "list": b"[]",
    "text": b"OK",
    "html": b"<html>welcome</html>",
    "control": b'{"error_code": "\\u001b[2J", "message": "\\u001b[31mred"}',
    "wrong types": b'{"experiments": 5}',
    "nested": b'{"experiments": [[[{}]]]}',
    "no id": b'{"experiments": [{}]}',
    "binary": bytes(range(256)),
}


class Hostile(BaseHTTPRequestHandler):
    """Answers every question alike; "drip" sends a byte at a time, and never the last."""

    content: bytes | None = None

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.content or bytes(9999))))
        self.end_headers()
        if self.content is not None:
            self.wfile.write(self.content)
            return
        while not self.server.over.wait(0.05):  # type: ignore[attr-defined]
            self.wfile.write(b" ")

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hostile(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that gives the answer `request.param`, or drips."""
    handler = type("Handler", (Hostile,), {"content": ANSWERS.get(request.param)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.over = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.over.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("hostile", [*ANSWERS, "drip"], indirect=True)
@pytest.mark.parametrize("ask", [ask_for_champion, fetch_champion, log_a_table, sync_experiments])
def test_what_is_no_mlflow_server_is_one_line(
    checkout: Path,
    hostile: str,
    ask: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", hostile)
    monkeypatch.setattr(store, "GREETING", 0.5)
    with pytest.raises(InputError) as raised:
        ask(checkout)
    said = str(raised.value)
    assert f"{hostile}: MLflow cannot be asked (" in said and "start its server" in said
    assert said.isprintable()


@pytest.mark.slow
@pytest.mark.parametrize("hostile", ["object"], indirect=True)
def test_a_stage_that_meets_no_mlflow_server_warns_once(
    start: Start, pipeline: "subprocess.Popen[str]", hostile: str
) -> None:
    for name in ("ingest", "submit"):
        process = start(
            "run.metrics({'a': 1.0})", name, **under(pipeline, MLFLOW_TRACKING_URI=hostile)
        )
        said = process.communicate(timeout=240)[1]
        assert process.returncode == 0
        assert said.count("saltseg: warning: the results are complete, but") == (name == "ingest")
        assert said.count("\n") == (name == "ingest")


def test_a_limit_ends_what_takes_too_long_and_leaves_what_was_before() -> None:
    with time_limit(30), pytest.raises(StoreError, match="more than 0 s"), time_limit(0.05):
        threading.Event().wait(30)
    with pytest.raises(StoreError), time_limit(0.2):
        with time_limit(30):
            pass
        threading.Event().wait(30)
