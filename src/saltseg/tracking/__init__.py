"""MLflow as the mirror of DVC: one run for each executed stage, under one for the pipeline.

A stage never imports MLflow, which takes seconds, and never waits for a server while it works: it
hands lines of JSON to a recorder, a process of its own (saltseg.tracking.recorder). A recorder
whose stage has died ends the run as KILLED. Whatever happens to the recorder, the stage goes on.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from saltseg.files import write_json
from saltseg.layout import Layout
from saltseg.params import Params

_PATIENCE = 30
"""Seconds that a finished stage waits for its recorder."""

_SHELLS = {"bash", "dash", "fish", "ksh", "sh", "zsh"}


@dataclass(frozen=True)
class StageRun:
    """What an executed stage reports."""

    result: Path
    _recorder: "_Recorder | None" = None

    def metrics(self, content: Mapping[str, Any]) -> None:
        """Write the stage's results/<name>.json and mirror its numbers to MLflow."""
        write_json(self.result, content)
        self._send("metrics", content=json.loads(self.result.read_text(encoding="utf-8")))

    def epoch(self, values: Mapping[str, float], step: int) -> None:
        """Mirror the numbers of one epoch to MLflow."""
        self._send("epoch", values={key: float(value) for key, value in values.items()}, step=step)

    def artifact(self, path: Path) -> None:
        """Mirror a file, or a folder with all that it holds, to MLflow."""
        self._send("artifact", path=str(path.resolve()))

    def _send(self, kind: str, **content: object) -> None:
        if self._recorder:
            self._recorder.send(kind, **content)


@contextmanager
def stage_run(stage: str, layout: Layout, params: Params, *parts: str | int) -> Iterator[StageRun]:
    """Record one execution of `stage`; `parts` names the item of a matrix stage.

    Nothing is recorded where `layout.root` holds no dvc.yaml: there is no pipeline to mirror.
    """
    result = layout.result(stage, *parts)
    if not (layout.root / "dvc.yaml").exists():
        yield StageRun(result)
        return
    recorder = _Recorder(stage, layout, params, *parts)
    try:
        yield StageRun(result, recorder)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        message = " ".join(f"{type(error).__name__}: {error}".split())
        recorder.finish("KILLED" if interrupted else "FAILED", message)
        raise
    recorder.finish("FINISHED", None)


def warn_once(folder: Path, pipeline: Mapping[str, float], reason: str) -> None:
    """Say on standard error that MLflow keeps no record, once for each run of the pipeline.

    folder: where the local store is; it keeps a note of the pipeline that was warned.
    pipeline: `pid` and start (`created`, seconds since 1970) of the process that stands for it.
    """
    note = folder / ".warned"
    name = f"{pipeline['pid']} {pipeline['created']:.0f}"
    with suppress(OSError):
        if note.exists() and note.read_text() == name:
            return
        note.write_text(name)
    line = f"saltseg: warning: MLflow may lack this run, the results do not: {reason}"
    print(line, file=sys.stderr, flush=True)


class _Recorder:
    """The stage's end of the pipe to its recorder."""

    def __init__(self, stage: str, layout: Layout, params: Params, *parts: str | int) -> None:
        # DVC_ROOT names the main checkout, also where `dvc exp run --temp` works in a copy.
        self.folder = Path(os.environ.get("DVC_ROOT", layout.root)).resolve() / "mlruns"
        process = _pipeline()
        self.pipeline = {"pid": process.pid, "created": process.create_time()}
        # In a session of its own it outlives Ctrl-C and a killed group, and can tell of them.
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "saltseg.tracking.recorder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        self.send(
            "begin",
            stage=stage,
            parts=parts,
            root=str(layout.root.resolve()),
            folder=str(self.folder),
            params=params.model_dump(mode="json"),
            pipeline=self.pipeline,
            stage_pid=os.getpid(),
        )

    def send(self, kind: str, **content: object) -> None:
        """Hand on one message; a recorder that has died takes none and is told of at the end."""
        message = {"kind": kind, "time": int(time.time() * 1000), **content}
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def finish(self, status: str, error: str | None) -> None:
        """Tell how the stage ended, and wait a while for the recorder to be done."""
        self.send("end", status=status, error=error)
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            code = self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            reason = f"the tracking server took more than {_PATIENCE} s"
            warn_once(self.folder, self.pipeline, reason)
            return
        if code != 0:
            warn_once(self.folder, self.pipeline, f"the recorder ended with code {code}")


def _pipeline() -> psutil.Process:
    """Return the process that stands for the run of the pipeline: dvc, or a stage run by hand."""
    process = psutil.Process()
    if "DVC_STAGE" not in os.environ:
        return process
    return next((each for each in process.parents() if not _of_stage(each)), process)


def _of_stage(process: psutil.Process) -> bool:
    """Tell a stage's command, and the shell around it, from the dvc that started both."""
    try:
        return process.name() in _SHELLS or "DVC_STAGE" in process.environ()
    except psutil.Error:
        return False
