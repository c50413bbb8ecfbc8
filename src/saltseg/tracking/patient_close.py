"""The end of a pipeline's run, logged even if the store fails for minutes."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from saltseg.plumbing.errors import reason_of
from saltseg.project.lost_records import note_lost_record
from saltseg.tracking.time_limits import TRANSFER, time_limit

if TYPE_CHECKING:
    from saltseg.tracking.mlflow_runs import PipelineRecord

WAITS = (1, 2, 5, 10, 20, 30, 60, 60, 60, 60)
"""Seconds between attempts: five minutes in all. No stage waits any more."""


def close_patiently(
    pipeline: "PipelineRecord", folder: Path, waits: Sequence[float] = WAITS
) -> None:
    """Close the run, again and again while that fails; at last leave a note in `folder`.

    An attempt itself may take long: none starts after the sum of `waits`.
    """
    until = time.monotonic() + sum(waits)
    lost = _failure(pipeline)
    for wait in waits:
        if lost is None or time.monotonic() + wait > until:
            break
        time.sleep(wait)
        lost = _failure(pipeline)
    if lost is not None:
        note_lost_record(folder, _told(pipeline, lost))


def _failure(pipeline: "PipelineRecord") -> str | None:
    """Try to close the run; return why that failed, or None."""
    try:
        with time_limit(TRANSFER):
            pipeline.close()
    except Exception as error:
        reason = reason_of(error)
        print(f"{time.strftime('%F %T')} {reason}", file=sys.stderr, flush=True)
        return reason
    return None


def _told(pipeline: "PipelineRecord", reason: str) -> str:
    return (
        f"run {pipeline.name!r} in MLflow lacks its end ({reason}); DVC has its results: to record"
        " them in a new run, 'dvc repro --force --single-item submit'"
    )
