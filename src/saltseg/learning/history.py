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
    """The record of a finished epoch."""

    epoch: int
    """Number in the plan, from 0."""
    phase: int
    cycle: int
    learning_rate: float
    """Of the last step."""
    loss: float
    """Mean over the batches."""
    validation_bce: float
    """Cross-entropy on the held-out fold, mean over pixels."""
    validation_score: float
    """Precision on the held-out fold at p > 0.5, without flip averaging."""
    snapshot: bool
    """Whether the epoch leaves a snapshot."""
    watched_bce: float | None = None
    watched_score: float | None = None
    """The same on the inner-validation crops; None in phases without inner validation."""

    @property
    def inner_validation(self) -> Score | None:
        """The inner-validation score, if any."""
        if self.watched_score is None or self.watched_bce is None:
            return None
        return Score(self.watched_score, -self.watched_bce)

    def __str__(self) -> str:
        """Return what is shown of it while the training goes on."""
        return f"loss {self.loss:.4f}, score {self.validation_score:.4f}"

    def row(self) -> dict[str, Any]:
        """Return the epoch's columns of history.csv, in order."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return {**known, "snapshot": int(self.snapshot)}

    def metrics(self) -> dict[str, float]:
        """Return the values to plot over epochs."""
        return {name: float(value) for name, value in self.row().items() if name != "epoch"}


History = list[EpochRecord]


def inner_validation_scores(history: Sequence[EpochRecord], phase: int) -> list[Score]:
    """Return the inner-validation score of each epoch of a phase; [] without inner validation."""
    scores = [record.inner_validation for record in history if record.phase == phase]
    return [score for score in scores if score is not None]


def mark_snapshots(history: Sequence[EpochRecord], kept: Collection[int]) -> History:
    """Return the history with exactly the epochs in `kept` marked as snapshots."""
    return [replace(record, snapshot=record.epoch in kept) for record in history]


def final_metrics(history: Sequence[EpochRecord]) -> dict[str, float]:
    """Return the last epoch's numbers, not the best epoch's, which would be selection bias."""
    last = history[-1]
    return {
        "epochs": len(history),
        "loss": last.loss,
        "validation_bce": last.validation_bce,
        "validation_score": last.validation_score,
    }


def write_history(path: Path, history: Sequence[EpochRecord]) -> None:
    """Write one CSV line per epoch."""
    write_csv(path, pd.DataFrame([record.row() for record in history]), decimals=8)
