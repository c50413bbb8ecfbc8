"""The wire between a stage and its pipeline's recorder: lines of JSON over a local socket."""

import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import psutil

from saltseg.plumbing.errors import InputError
from saltseg.project.git import environment_of_children
from saltseg.project.processes import identity, lives
from saltseg.tracking.messages import Message
from saltseg.tracking.socket_folder import socket_folder

PIPELINE_VARIABLE = "SALTSEG_PIPELINE"
"""Variable with the pid of the pipeline's process, if several dvc processes run one pipeline."""

WATCH = 0.5
"""Seconds between checks of the pipeline's process."""

SENDING = 10.0
"""Seconds that the other end may take to accept a message."""

_LONGEST = 1 << 26
"""Longest message in bytes; the longest real one is a stage's metrics."""

_START = 20.0
"""Seconds that a recorder may take to start listening."""

_LOCAL_PEERCRED = 1

_SHELLS = {"bash", "dash", "fish", "ksh", "sh", "zsh"}


class WireError(Exception):
    """No recorder can be reached; the error message says why."""


class Wire:
    """One end of a connection."""

    def __init__(self, channel: socket.socket) -> None:
        """Wrap a connected socket."""
        self.channel = channel
        self.unread = b""

    def send(self, message: Message) -> None:
        """Send one message.

        Raises OSError if the other end is gone, or does not accept it within `SENDING` seconds.
        """
        self.channel.settimeout(SENDING)
        self.channel.sendall((json.dumps(message) + "\n").encode())

    def receive(self, patience: float | None) -> bytes:
        """Wait for one message and return it unchecked; see messages.read_report, read_answer.

        Raises TimeoutError after `patience` seconds (None: never), another OSError or ValueError if
        the other end is gone, dies within a line, or sends an endless one.
        """
        until = None if patience is None else time.monotonic() + patience
        while b"\n" not in self.unread:
            if len(self.unread) > _LONGEST:
                raise ValueError("a message is too long")
            self.channel.settimeout(None if until is None else max(until - time.monotonic(), 1e-3))
            came = self.channel.recv(1 << 16)
            if not came:
                raise ConnectionResetError("the connection is closed")
            self.unread += came
        line, _, self.unread = self.unread.partition(b"\n")
        return line

    def close(self) -> None:
        """Close this end."""
        with suppress(OSError):
            self.channel.close()


def pipeline_process() -> Message:
    """Return `pid` and `identity` of the pipeline's process.

    That is dvc, a stage run by hand, or the process named by PIPELINE_VARIABLE.
    Raises InputError if that process has ended, or the variable names none.
    """
    process = _pipeline()
    try:
        return {"pid": process.pid, "identity": identity(process.pid)}
    except psutil.NoSuchProcess as error:
        raise InputError(f"process {process.pid}, which started this stage, ended") from error


def pipeline_command(pipeline: Message) -> list[str]:
    """Return the command line of the pipeline's process; [] if it cannot be read."""
    try:
        return psutil.Process(pipeline["pid"]).cmdline()
    except psutil.Error:
        return []


def end_with(pipeline: Message) -> None:
    """Send SIGTERM to this process soon after the pipeline's ends; a training keeps its checkpoint.

    Without dvc a stage would run on for nothing: its outputs would never get into dvc.lock.
    """
    if pipeline["pid"] != os.getpid():
        Thread(target=_watch, args=(pipeline["pid"], pipeline["identity"]), daemon=True).start()


def _watch(pid: int, known: str) -> None:
    while lives(pid, known):
        time.sleep(WATCH)
    with suppress(OSError):  # standard error may be closed too
        print("saltseg: dvc has ended, so this stage ends too", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)


def open_wire(folder: Path, root: Path, pipeline: Message) -> Wire:
    """Connect to the recorder of `pipeline`; start one if there is none.

    folder: the folder of the local store. root: the checkout in which the pipeline runs.
    Raises WireError if no recorder can be started.
    """
    address = _address(folder, root, pipeline)
    wire = _reach(address)
    if wire:
        return wire
    with (folder / "recorder.log").open("a") as log:
        # In its own session it survives Ctrl-C and a killed group, and can record them.
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "saltseg.tracking.recorder", str(address),
             str(folder), str(pipeline["pid"]), pipeline["identity"]],
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
        # A recorder exits with 0 if another one is listening already.
        if process.poll() not in (None, 0):
            raise WireError(f"the recorder ended with code {process.returncode}")
        time.sleep(0.02)
    raise WireError(f"the recorder did not start within {_START:.0f} s")


def _reach(address: Path) -> Wire | None:
    """Connect to this user's recorder. Raises WireError if another user's process listens there."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.settimeout(SENDING)
    try:
        channel.connect(str(address))
        owner = peer_user(channel)
    except OSError:
        channel.close()
        return None
    if owner != os.getuid():
        channel.close()
        raise WireError(f"{address}: a process of user {owner} listens there; remove it")
    return Wire(channel)


def peer_user(channel: socket.socket) -> int:
    """Return the user id of the process at the other end of a local socket."""
    if hasattr(socket, "SO_PEERCRED"):
        packed = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", packed)[1])
    # macOS and the BSDs: struct xucred starts with a version and the user id (unix(4)).
    packed = channel.getsockopt(0, _LOCAL_PEERCRED, 128)
    return int(struct.unpack_from("Ii", packed)[1])


def listen(address: Path) -> socket.socket | None:
    """Listen at `address`; None if another recorder is listening there."""
    wire = _reach(address)
    if wire:
        with closing(wire):
            return None
    address.unlink(missing_ok=True)  # left over from a killed recorder
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.bind(str(address))
    address.chmod(0o600)
    channel.listen(64)
    return channel


def _address(folder: Path, root: Path, pipeline: Message) -> Path:
    """Return the path of the socket, in a folder with a short path."""
    what = [str(folder), str(root), str(pipeline["pid"]), pipeline["identity"]]
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
            raise InputError(f"process {named}, which started this stage, ended") from error
        except (ValueError, OverflowError) as error:
            raise InputError(
                f"{PIPELINE_VARIABLE}: {named!r} is not a process's number; unset the variable"
            ) from error
    if "DVC_STAGE" not in os.environ:
        return process
    starter = next((each for each in process.parents() if not _of_stage(each)), process)
    if not _same_session(starter):
        raise InputError("the dvc process that started this stage has ended")
    return starter


def _same_session(process: psutil.Process) -> bool:
    """Tell dvc from the process that adopts a stage after its dvc was killed, which never ends."""
    try:
        return os.getsid(process.pid) == os.getsid(0)
    except OSError:
        return False


def _of_stage(process: psutil.Process) -> bool:
    """Tell whether this is a stage's command or its shell, and not the dvc that started them."""
    try:
        return process.name() in _SHELLS or "DVC_STAGE" in process.environ()
    except psutil.Error:
        return False
