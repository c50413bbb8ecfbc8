"""The wire between stages and recorders: who may speak, how long one waits, what is believed."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from saltseg.plumbing.errors import InputError, one_line_errors, printable, reason_of
from saltseg.project.processes import identity, lives
from saltseg.tracking import wire
from saltseg.tracking.messages import read_answer, read_report
from saltseg.tracking.wire import Wire, WireError, peer_user, pipeline_process


@pytest.fixture
def pair() -> Iterator[tuple[Wire, Wire]]:
    one, other = map(Wire, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_a_message_comes_whole_however_it_is_cut(pair: tuple[Wire, Wire]) -> None:
    for part in (b'{"lost"', b": nu", b'll}\n{"lost": "x"}\n'):
        pair[0].channel.sendall(part)
    assert [read_answer(pair[1].receive(5)) for _ in range(2)] == [{"lost": None}, {"lost": "x"}]


def test_a_send_that_nobody_takes_ends(
    pair: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "SENDING", 0.05)
    with pytest.raises(TimeoutError):
        for _ in range(10_000):
            pair[0].send({"text": "x" * 10_000})


def test_an_answer_that_drips_is_not_awaited_for_ever(pair: tuple[Wire, Wire]) -> None:
    def drip() -> None:
        for _ in range(200):
            try:
                pair[0].channel.send(b" ")
            except OSError:
                return
            time.sleep(0.02)

    threading.Thread(target=drip, daemon=True).start()
    with pytest.raises(TimeoutError):
        pair[1].receive(0.3)


def test_a_message_without_an_end_is_refused(
    pair: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_LONGEST", 1000)
    pair[0].channel.sendall(b"x" * 2000)
    with pytest.raises(ValueError, match="too long"):
        pair[1].receive(5)


def test_the_user_at_the_other_end_is_known(pair: tuple[Wire, Wire]) -> None:
    assert peer_user(pair[0].channel) == os.getuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can listen as another user")
def test_a_stranger_under_the_recorder_s_name_is_refused(tmp_path: Path) -> None:
    address = tmp_path / "x.sock"
    stranger = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]);"
        " os.chmod(sys.argv[1], 0o777); os.setuid(65534); s.listen(); print(1, flush=True);"
        " input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", stranger, str(address)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "1\n"
    with pytest.raises(WireError, match="a process of user 65534 listens there"):
        wire._reach(address)
    process.communicate("")


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"[]", b"null", b'"x"', b"\xff", b'{"lost": 5}', b'{"lost": null, "x": 1}',
        b'{"found": null}', b"[" * 100_000, b'{"lost": "' + b"x" * 200_000 + b'"}',
    ],
)  # fmt: skip
def test_an_answer_that_no_recorder_gives_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a saltseg message"):
        read_answer(line)


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "begin"},
        {"kind": "end", "status": "DONE", "error": None, "time": 1},
        {"kind": "epoch", "values": {"loss": "x"}, "step": 1, "time": 1},
        {"kind": "artifact", "path": 5, "time": 1},
        {"kind": "delete", "path": "/", "time": 1},
        {"kind": "model"},
        [],
    ],
)
def test_a_report_that_no_stage_makes_is_refused(message: object) -> None:
    with pytest.raises(ValueError, match="not a saltseg message"):
        read_report(json.dumps(message).encode())


def test_what_steers_a_terminal_is_printed_as_an_escape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "a\x1b[2Jb\x07\x9b\u202ec é 层"
    assert printable(text) == r"a\x1b[2Jb\x07\x9b\u202ec é 层"
    assert "\x1b" not in reason_of(ValueError(text)) + reason_of(InputError(text))
    with pytest.raises(SystemExit), one_line_errors():
        raise InputError(text)
    assert "\x1b" not in capsys.readouterr().err


def test_a_clock_that_jumps_ends_and_revives_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    own, ended = identity(os.getpid()), subprocess.Popen(["true"])
    other = identity(ended.pid)
    ended.wait()
    for jump in (-86400, 3600, 86400 * 365):
        now, boot = time.time() + jump, psutil.boot_time() + jump
        monkeypatch.setattr(time, "time", lambda now=now: now)
        monkeypatch.setattr("psutil._psplatform.boot_time", lambda boot=boot: boot)
        assert lives(os.getpid(), own) and identity(os.getpid()) == own
        assert not lives(ended.pid, other) and not lives(os.getpid(), other)
        monkeypatch.undo()


@pytest.mark.parametrize("named", ["abc", "1.5", "-1", "9" * 30])
def test_what_is_no_process_s_number_is_named(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALTSEG_PIPELINE", named)
    with pytest.raises(InputError) as raised:
        pipeline_process()
    assert named in str(raised.value) and "process" in str(raised.value)
