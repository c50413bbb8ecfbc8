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
    validation_bce: float | None
    """Cross-entropy on the held-out fold, mean over pixels; None where it is not scored."""
    validation_score: float | None
    """Precision on the held-out fold at p > 0.5, without flip averaging; None likewise."""
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
        score = self.validation_score
        return f"loss {self.loss:.4f}" + ("" if score is None else f", score {score:.4f}")

    def row(self) -> dict[str, Any]:
        """Return the epoch's columns of history.csv, in order; None where it is not scored."""
        columns = asdict(self)
        if self.inner_validation is None:
            del columns["watched_bce"], columns["watched_score"]
        return {**columns, "snapshot": int(self.snapshot)}

    def metrics(self) -> dict[str, float]:
        """Return the values to plot over epochs."""
        values = self.row().items()
        return {name: float(v) for name, v in values if name != "epoch" and v is not None}


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
    last = history[-1].metrics()
    names = ("loss", "validation_bce", "validation_score")
    return {"epochs": len(history), **{name: last[name] for name in names if name in last}}


def write_history(path: Path, history: Sequence[EpochRecord]) -> None:
    """Write one CSV line per epoch."""
    write_csv(path, pd.DataFrame([record.row() for record in history]), decimals=8)
