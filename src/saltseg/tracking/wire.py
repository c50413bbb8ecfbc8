"""The wire between a stage and its pipeline's recorder: lines of JSON over a local socket."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from saltseg.plumbing.errors import InputError
from saltseg.project.git import environment_of_children
from saltseg.tracking.socket_folder import socket_folder

Message = dict[str, Any]

PIPELINE_VARIABLE = "SALTSEG_PIPELINE"
"""Names the process that stands for the pipeline where several dvc work on one."""

WATCH = 0.5
"""Seconds between looks at the pipeline's process."""

CLOCK_DRIFT = 5.0
"""Seconds by which a process's start seems to move when the system's clock is set."""

_START = 20.0
"""Seconds that a recorder may take to listen."""

_SHELLS = {"bash", "dash", "fish", "ksh", "sh", "zsh"}


class WireError(Exception):
    """No recorder can be reached; the message says why."""


class Wire:
    """One end of an open wire."""

    def __init__(self, channel: socket.socket) -> None:
        """Speak over a connected socket."""
        self.channel = channel
        self.reader = channel.makefile("r", encoding="utf-8", newline="\n")

    def send(self, message: Message) -> None:
        """Send one message. Raises OSError where nobody listens any more."""
        self.channel.sendall((json.dumps(message) + "\n").encode())

    def receive(self, patience: float | None) -> Message:
        """Wait for one message.

        Raises TimeoutError after `patience` seconds (None: never), another OSError or ValueError
        where the other end is gone or dies within a line.
        """
        self.channel.settimeout(patience)
        line = self.reader.readline()
        if not line:
            raise ConnectionResetError("the wire is closed")
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        """Close this end."""
        with suppress(OSError):
            self.reader.close()
            self.channel.close()


def pipeline_process() -> dict[str, float]:
    """Return `pid` and start (`created`, seconds since 1970) of what stands for the pipeline.

    That is dvc, or a stage that is run by hand, or the process that PIPELINE_VARIABLE names.
    Raises InputError where that process has ended.
    """
    process = _pipeline()
    return {"pid": process.pid, "created": process.create_time()}


def lives(pid: int, created: float) -> bool:
    """Tell whether process `pid` is still the one that started at `created`, and has not ended."""
    try:
        process = psutil.Process(pid)
        drift = abs(process.create_time() - created)
        return drift < CLOCK_DRIFT and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:  # it may end at any moment, also between two questions
        return False


def end_with(pipeline: dict[str, float]) -> None:
    """Have SIGTERM end this process soon after that of the pipeline; a training's state stays.

    Without its dvc a stage would compute for hours unseen, and for nothing: dvc.lock would never
    know what it made.
    """
    if pipeline["pid"] != os.getpid():
        Thread(target=_watch, args=(int(pipeline["pid"]),), daemon=True).start()


def _watch(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        # No comparison of times here: setting the system's clock must end no training.
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(WATCH)
    with suppress(OSError):  # whoever read it may have ended as well
        print("saltseg: what ran this stage has ended: so does the stage", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)


def open_wire(folder: Path, root: Path, pipeline: dict[str, float]) -> Wire:
    """Reach the recorder of `pipeline`; start it where there is none.

    folder: where the local store is. root: the checkout in which the pipeline runs.
    Raises WireError where none can be started.
    """
    address = _address(folder, root, pipeline)
    wire = _reach(address)
    if wire:
        return wire
    with (folder / "recorder.log").open("a") as log:
        # In a session of its own it outlives Ctrl-C and a killed group, and can tell of them.
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "saltseg.tracking.recorder", str(address),
             str(folder), str(pipeline["pid"]), repr(pipeline["created"])],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env=environment_of_children(os.environ),
        )  # fmt: skip
    return _await(address, process)


def _await(address: Path, process: "subprocess.Popen[bytes]") -> Wire:
    until = time.monotonic() + _START
    while time.monotonic() < until:
        wire = _reach(address)
        if wire:
            return wire
        # 0 is the code of a recorder that found another one at its place.
        if process.poll() not in (None, 0):
            raise WireError(f"the recorder ended with code {process.returncode}")
        time.sleep(0.02)
    raise WireError(f"the recorder did not start within {_START:.0f} s")


def _reach(address: Path) -> Wire | None:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        channel.connect(str(address))
    except OSError:
        channel.close()
        return None
    return Wire(channel)


def listen(address: Path) -> socket.socket | None:
    """Listen at `address`; None where another recorder does already."""
    wire = _reach(address)
    if wire:
        with closing(wire):
            return None
    address.unlink(missing_ok=True)  # left by a recorder that was killed
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.bind(str(address))
    address.chmod(0o600)
    channel.listen(64)
    return channel


def _address(folder: Path, root: Path, pipeline: dict[str, float]) -> Path:
    """Name the socket. Raises OSError where there is no folder for it."""
    what = [str(folder), str(root), str(pipeline["pid"]), f"{pipeline['created']:.0f}"]
    what.append(os.environ.get("DVC_EXP_NAME", ""))
    digest = hashlib.sha256("\0".join(what).encode()).hexdigest()[:16]
    return socket_folder() / f"{digest}.sock"


def _pipeline() -> psutil.Process:
    process = psutil.Process()
    named = os.environ.get(PIPELINE_VARIABLE)
    if named:
        try:
            return psutil.Process(int(named))
        except psutil.NoSuchProcess as error:
            raise InputError(f"what ran this stage, process {named}, has ended") from error
    if "DVC_STAGE" not in os.environ:
        return process
    starter = next((each for each in process.parents() if not _of_stage(each)), process)
    if not _same_session(starter):
        raise InputError("what ran this stage, its dvc, has ended")
    return starter


def _same_session(process: psutil.Process) -> bool:
    """Tell dvc from what adopted a stage whose dvc was killed: that process never ends."""
    try:
        return os.getsid(process.pid) == os.getsid(0)
    except OSError:
        return False


def _of_stage(process: psutil.Process) -> bool:
    """Tell a stage's command, and the shell around it, from the dvc that started both."""
    try:
        return process.name() in _SHELLS or "DVC_STAGE" in process.environ()
    except psutil.Error:
        return False
