"""The recorder of one pipeline: mirrors its stages to MLflow.

    python -m saltseg.tracking.recorder   # started by saltseg.tracking.wire, not by hand

It runs until the pipeline's process has ended, because the record includes what dvc writes after
the last stage: dvc.lock and the experiment's commit. If MLflow fails, the stage is told, warns in
one line and goes on.
"""

import argparse
import logging
import os
import queue
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock

from saltseg.plumbing.errors import reason_of
from saltseg.project.processes import lives
from saltseg.tracking.clock import now_ms
from saltseg.tracking.messages import Message, read_report
from saltseg.tracking.patient_close import close_patiently
from saltseg.tracking.time_limits import TALK, StoreError, time_limit
from saltseg.tracking.wire import WATCH, Wire, listen, peer_user

if TYPE_CHECKING:
    from saltseg.tracking.mlflow_runs import PipelineRecord, StageRecord

OF_THE_PIPELINE = ("open", "nodes", "failed")
"""Kinds of messages about the pipeline, not about a stage."""

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}


def main() -> None:
    """Record until the pipeline's process has ended."""
    parser = argparse.ArgumentParser(description="Record one pipeline. Started by its stages.")
    for name, kind in (("address", Path), ("folder", Path), ("pid", int), ("identity", str)):
        parser.add_argument(name, type=kind)
    given = parser.parse_args()
    # dvc removes the checkout of `dvc exp run --temp`, where this started, before the end.
    os.chdir(given.folder.parent)
    os.nice(5)
    logging.disable(logging.CRITICAL)
    os.environ.update({key: value for key, value in _QUIET.items() if key not in os.environ})
    lock = given.folder / f".recorder-{os.getpid()}.lock"
    try:
        # Locked before a stage can connect, so that wait_for_recorders does not miss this one.
        with FileLock(lock):
            with FileLock(given.folder / ".starting.lock", timeout=60):
                channel = listen(given.address)
            if channel is None:
                return
            _Recorder(channel, given.folder, given.pid, given.identity).record()
            given.address.unlink(missing_ok=True)
    finally:
        lock.unlink(missing_ok=True)


@dataclass
class _Stage:
    """A connected stage: its wire, its process and, unless MLflow failed, its run."""

    wire: Wire
    pid: int
    record: "StageRecord | None" = None
    lost: str | None = None


class _Recorder:
    """Handles the messages of all stages in one thread, in order of arrival."""

    def __init__(self, channel: socket.socket, folder: Path, pid: int, known: str) -> None:
        """Record the pipeline of process `pid`, whose identity is `known`.

        folder: the folder of the local store.
        """
        self.folder = folder
        self.pid = pid
        self.known = known
        self.lost: str | None = None
        self.silent: set[Wire] = set()
        self.inbox: queue.Queue[tuple[Wire, Message | None]] = queue.Queue()
        self.stages: dict[Wire, _Stage] = {}
        self.pipeline: PipelineRecord | None = None
        # Threads read the messages, so that no stage waits for MLflow.
        threading.Thread(target=self._accept, args=(channel,), daemon=True).start()

    def record(self) -> None:
        """Handle messages until the pipeline has ended, then close its run."""
        while self._at_work() or lives(self.pid, self.known):
            try:
                wire, message = self.inbox.get(timeout=WATCH)
            except queue.Empty:
                self._end_dead_stages()
                continue
            self._take(wire, message)
        if self.pipeline is not None and self.lost is None:
            close_patiently(self.pipeline, self.folder)

    def _at_work(self) -> bool:
        """Tell whether a stage is connected, or a message is waiting."""
        return bool(self.stages or self.silent or not self.inbox.empty())

    def _accept(self, channel: socket.socket) -> None:
        while True:
            connection, _ = channel.accept()
            if peer_user(connection) != os.getuid():
                connection.close()
                continue
            wire = Wire(connection)
            self.silent.add(wire)
            threading.Thread(target=self._read, args=(wire,), daemon=True).start()

    def _read(self, wire: Wire) -> None:
        """Put each message into the inbox; None when the other end is gone or not a stage."""
        with suppress(OSError, ValueError):  # a killed stage may leave half a line
            while True:
                self.inbox.put((wire, read_report(wire.receive(None))))
                self.silent.discard(wire)
        self.inbox.put((wire, None))
        self.silent.discard(wire)

    def _take(self, wire: Wire, message: Message | None) -> None:
        if message is not None and message["kind"] in OF_THE_PIPELINE:
            self._take_of_pipeline(wire, message)
            return
        if message is not None and message["kind"] == "begin":
            self.stages[wire] = self._open(wire, message)
        stage = self.stages.get(wire)
        if stage is None or (message is not None and message["kind"] == "begin"):
            return
        message = message or _killed()
        # After the first failure only the end is logged, so that no run stays open.
        if stage.record and (stage.lost is None or message["kind"] == "end"):
            try:
                with time_limit(TALK):
                    stage.record.take(message)
            except Exception as error:
                stage.lost = stage.lost or self._lost(error)
        if message["kind"] == "end":
            self._leave(self.stages.pop(wire))

    def _take_of_pipeline(self, wire: Wire, message: Message) -> None:
        """Handle a message of the process that runs the pipeline on a cluster; answer it."""
        try:
            self._check_store()
            from saltseg.tracking.mlflow_runs import PipelineRecord
            from saltseg.tracking.store import reached_store

            with time_limit(TALK), reached_store(self.folder):
                self.pipeline = self.pipeline or PipelineRecord(message)
                self.pipeline.take(message)
            answer = {"lost": None, "run": self.pipeline.run}
        except Exception as error:
            answer = {"lost": self._lost(error)}
        with suppress(OSError):
            wire.send(answer)

    def _check_store(self) -> None:
        if self.lost is not None:
            raise StoreError(self.lost)

    def _open(self, wire: Wire, begin: Message) -> _Stage:
        """Open the stage's run. MLflow is imported only here, because that may fail."""
        stage = _Stage(wire, begin["stage_pid"], lost=self.lost)
        if self.lost is not None:
            return stage
        try:
            from saltseg.tracking.mlflow_runs import PipelineRecord, StageRecord
            from saltseg.tracking.store import reached_store

            with time_limit(TALK), reached_store(self.folder):
                self.pipeline = self.pipeline or PipelineRecord(begin)
                stage.record = StageRecord(self.pipeline, begin)
        except Exception as error:
            stage.lost = self._lost(error)
        return stage

    def _lost(self, error: Exception) -> str:
        """Return why a run is lost; a store that was too slow once is not used again."""
        reason = reason_of(error)
        if isinstance(error, StoreError) or isinstance(error.__cause__, StoreError):
            self.lost = reason
        return reason

    def _leave(self, stage: _Stage) -> None:
        """Tell a stage that all is recorded, or what was lost."""
        with suppress(OSError):
            stage.wire.send({"lost": stage.lost})
        stage.wire.close()

    def _end_dead_stages(self) -> None:
        """End the runs of stages that died but whose workers keep the wire open."""
        for wire, stage in list(self.stages.items()):
            if _is_dead(stage.pid):
                self._take(wire, None)


def _is_dead(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:  # it may end between two calls
        return True


def _killed() -> Message:
    error = "the stage's process was killed"
    return {"kind": "end", "status": "KILLED", "error": error, "time": now_ms()}


if __name__ == "__main__":
    main()
