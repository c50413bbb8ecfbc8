"""The recorder of one stage: reads the stage's messages and mirrors them to MLflow.

    python -m saltseg.tracking.recorder   # started by saltseg.tracking.stage_run, not by hand

It ends with exit code 0 also where MLflow fails, after one warning line.
"""

import json
import logging
import os
import queue
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from saltseg.tracking import warn_once

if TYPE_CHECKING:
    from saltseg.tracking.record import Record

Message = dict[str, Any]

_QUIET = {
    # MLflow's own defaults let a dead server take minutes; a mirror must not.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}

_WATCH = 2.0
"""Seconds between looks at the stage, whose workers may hold its end of the pipe open."""


def main() -> None:
    """Record until the stage has ended."""
    os.nice(5)
    logging.disable(logging.CRITICAL)
    os.environ.update({key: value for key, value in _QUIET.items() if key not in os.environ})
    inbox: queue.Queue[Message | None] = queue.Queue()
    # Reading never waits for MLflow, so that the stage never waits for the pipe.
    threading.Thread(target=_read, args=(sys.stdin, inbox), daemon=True).start()
    begin = inbox.get()
    if begin is not None:
        _record(begin, _messages(inbox, begin["stage_pid"]))


def _record(begin: Message, messages: Iterable[Message]) -> None:
    """Mirror all messages; after the first failure only the end, so that no run stays open."""
    record: Record | None = None
    failed = False
    try:
        record = _opened(begin)
    except Exception as error:
        failed = True
        _warn(begin, error)
    for message in messages:
        if record is None or (failed and message["kind"] != "end"):
            continue
        try:
            record.take(message)
        except Exception as error:
            failed = True
            _warn(begin, error)


def _opened(begin: Message) -> "Record":
    """Open the stage's run; MLflow, whose import takes seconds and may fail, is imported here."""
    from saltseg.tracking.record import Record

    return Record(begin)


def _warn(begin: Message, error: Exception) -> None:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    reason = re.sub(r"//[^/\s]*@", "//", said)  # a server's address may hold a password
    warn_once(Path(begin["folder"]), begin["pipeline"], reason[:200])


def _read(stream: TextIO, inbox: "queue.Queue[Message | None]") -> None:
    """Put each line's message into the inbox, and None at the end of the stream."""
    for line in stream:
        if line.endswith("\n"):  # a stage that was killed may leave half a line
            inbox.put(json.loads(line))
    inbox.put(None)


def _messages(inbox: "queue.Queue[Message | None]", stage_pid: int) -> Iterator[Message]:
    """Yield messages up to the stage's last word; where the stage died, say so in its place."""
    while True:
        try:
            message = inbox.get(timeout=_WATCH)
        except queue.Empty:
            if os.getppid() == stage_pid:
                continue
            message = None
        if message is None:
            yield {"kind": "end", "status": "KILLED", "error": "the stage's process was killed"}
            return
        yield message
        if message["kind"] == "end":
            return


if __name__ == "__main__":
    main()
