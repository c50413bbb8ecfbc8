"""The history of a training: one record for each epoch."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from saltseg.learning.schedules import Score
from saltseg.plumbing.files import write_csv


@dataclass(frozen=True)
class EpochRecord:
    """What is known of an epoch after it has ended."""

    epoch: int
    """Number in the plan, from 0."""
    phase: int
    cycle: int
    learning_rate: float
    """Of the last step."""
    loss: float
    """Mean over the batches."""
    validation_bce: float
    """Cross-entropy of the held-out fold, mean over pixels."""
    validation_score: float
    """Precision of the held-out fold at p > 0.5, without mirror images."""
    snapshot: bool
    """Whether the epoch leaves a snapshot."""
    watched_bce: float | None = None
    watched_score: float | None = None
    """The same of the watched crops; None in phases that watch none."""

    @property
    def watched(self) -> Score | None:
        """What the epoch is worth by the watched crops."""
        if self.watched_score is None or self.watched_bce is None:
            return None
        return Score(self.watched_score, -self.watched_bce)

    def row(self) -> dict[str, Any]:
        """Return the columns of history.csv that the epoch has, in their order."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return {**known, "snapshot": int(self.snapshot)}

    def metrics(self) -> dict[str, float]:
        """Return what a curve over epochs shows."""
        return {name: float(value) for name, value in self.row().items() if name != "epoch"}


History = list[EpochRecord]


def watched_scores(history: Sequence[EpochRecord], phase: int) -> list[Score]:
    """Return what each epoch of a phase is worth by the watched crops; none if it watches none."""
    scores = [record.watched for record in history if record.phase == phase]
    return [score for score in scores if score is not None]


def mark_snapshots(history: Sequence[EpochRecord], kept: Collection[int]) -> History:
    """Return the history with the epochs of `kept`, and no others, marked as snapshots."""
    return [replace(record, snapshot=record.epoch in kept) for record in history]


def final_metrics(history: Sequence[EpochRecord]) -> dict[str, float]:
    """Return the last epoch's numbers; the last, not the best, which the fold would choose."""
    last = history[-1]
    return {
        "epochs": len(history),
        "loss": last.loss,
        "validation_bce": last.validation_bce,
        "validation_score": last.validation_score,
    }


def write_history(path: Path, history: Sequence[EpochRecord]) -> None:
    """Write a line for each epoch as CSV."""
    write_csv(path, pd.DataFrame([record.row() for record in history]), decimals=8)
