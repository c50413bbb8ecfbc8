"""MLflow as a mirror of DVC: one run for each executed stage, nested in one for the pipeline.

A stage never imports MLflow, which takes seconds, and never waits for a server while it works: it
sends lines of JSON to a recorder (saltseg.tracking.recorder). The recorder is a process that runs
as long as the pipeline's, so that it also records what dvc does after the last stage. If the
recorder fails, the stage goes on.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from saltseg.config.params import Params
from saltseg.plumbing.errors import InputError, printable
from saltseg.plumbing.files import sweep_leftovers, write_json
from saltseg.plumbing.layout import Layout
from saltseg.project.git import why_unknown
from saltseg.project.lost_records import tell_lost_records
from saltseg.tracking.clock import now_ms
from saltseg.tracking.messages import read_answer
from saltseg.tracking.wire import (
    Wire,
    WireError,
    end_with,
    open_wire,
    pipeline_command,
    pipeline_process,
)

_PATIENCE = 60
"""Seconds that a finished stage waits for its recorder, which then goes on in the background."""


@dataclass(frozen=True)
class StageRun:
    """The methods by which an executed stage reports."""

    result: Path
    _reporter: "_Reporter | None" = None

    def metrics(self, content: Mapping[str, Any]) -> None:
        """Write the stage's results/NAME.json and mirror its numbers to MLflow."""
        write_json(self.result, content)
        self._send("metrics", content=json.loads(self.result.read_text(encoding="utf-8")))

    def epoch(self, values: Mapping[str, float], step: int) -> None:
        """Mirror one epoch's numbers to MLflow."""
        self._send("epoch", values={key: float(value) for key, value in values.items()}, step=step)

    def artifact(self, path: Path) -> None:
        """Mirror a file, or a folder with all its contents, to MLflow."""
        self._send("artifact", path=str(path.resolve()))

    def model(self) -> None:
        """Have the trained pipeline, with the current models/, logged and registered as a model."""
        self._send("model")

    def _send(self, kind: str, **content: object) -> None:
        if self._reporter:
            self._reporter.send(kind, **content)


@contextmanager
def stage_run(stage: str, layout: Layout, params: Params, *parts: str | int) -> Iterator[StageRun]:
    """Record one execution of `stage`; `parts` names the item of a matrix stage.

    Nothing is recorded if `layout.root` has no dvc.yaml. Otherwise this process ends when the
    pipeline's process ends. Raises InputError if that has ended already.
    """
    result = layout.result(stage, *parts)
    if not (layout.root / "dvc.yaml").exists():
        yield StageRun(result)
        return
    for folder in (result.parent, layout.data(stage, *parts), layout.plots(stage, *parts)):
        sweep_leftovers(folder)
    reporter = _Reporter(stage, layout, params, *parts)
    try:
        yield StageRun(result, reporter)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        message = " ".join(f"{type(error).__name__}: {error}".split())
        reporter.finish("KILLED" if interrupted else "FAILED", message)
        raise
    reporter.finish("FINISHED", None)


def wait_for_recorders(folder: Path, patience: float = 60) -> None:
    """Wait until no recorder is writing to the store in `folder`.

    A recorder outlives its pipeline by a second or two, and by minutes while MLflow fails.
    Raises InputError if one is still running after `patience` seconds, for example because a
    pipeline is running.
    """
    until = time.monotonic() + patience
    for path in sorted(folder.glob(".recorder-*.lock")):
        try:
            FileLock(path, timeout=max(until - time.monotonic(), 0)).acquire().lock.release()
        except Timeout as error:
            pid = path.stem.rpartition("-")[2]
            raise InputError(
                f"{folder}: process {pid} is still recording a pipeline; wait for its end"
            ) from error
        path.unlink(missing_ok=True)


class _Reporter:
    """The stage's connection to its pipeline's recorder."""

    def __init__(self, stage: str, layout: Layout, params: Params, *parts: str | int) -> None:
        main = layout.main.resolve()  # even if `dvc exp run --temp` works in a copy
        self.folder = Layout(main).mlruns
        self.pipeline = pipeline_process()
        end_with(self.pipeline)
        self.lost: str | None = None
        self.wire: Wire | None = None
        unknown = why_unknown(layout.root)
        tell_lost_records(self.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.wire = open_wire(self.folder, layout.root.resolve(), self.pipeline)
        except (OSError, WireError, InputError) as error:
            self.lost = str(error)
        if unknown is not None:
            self._warn(".warned-git", f"the state of the code is not recorded: {unknown}")
        self.send(
            "begin",
            stage=stage,
            parts=parts,
            root=str(layout.root.resolve()),
            main=str(main),
            params=params.model_dump(mode="json"),
            pipeline=self.pipeline,
            command=pipeline_command(self.pipeline),
            stage_pid=os.getpid(),
        )

    def send(self, kind: str, **content: object) -> None:
        """Send one message; after a failure nothing more is sent, and `finish` warns."""
        if self.wire is None or self.lost is not None:
            return
        message = {"kind": kind, "time": now_ms(), **content}
        try:
            self.wire.send(message)
        except TimeoutError:
            self.lost = "the recorder accepts no more messages"
        except OSError:
            self.lost = "the recorder ended before its stage"

    def finish(self, status: str, error: str | None) -> None:
        """Report how the stage ended, and wait for the recorder to finish."""
        self.send("end", status=status, error=error)
        if self.wire is not None and self.lost is None:
            try:
                self.lost = read_answer(self.wire.receive(_PATIENCE))["lost"]
            except TimeoutError:
                self.lost = f"MLflow takes more than {_PATIENCE} s"
            except (OSError, ValueError):
                self.lost = "the recorder ended before its stage"
        if self.wire is not None:
            self.wire.close()
        if self.lost is not None:
            told = f"the results are complete, but the run in MLflow may not be: {self.lost}"
            self._warn(".warned", told)

    def _warn(self, name_of_note: str, line: str) -> None:
        """Print `line` on standard error once per run of the pipeline; a file remembers that."""
        note = self.folder / name_of_note
        name = f"{self.pipeline['pid']} {self.pipeline['identity']}"
        with suppress(OSError):
            if note.exists() and note.read_text() == name:
                return
            note.write_text(name)
        print(f"saltseg: warning: {printable(line)}", file=sys.stderr, flush=True)
