"""Where each stage's files lie below the project's root."""

import os
from dataclasses import dataclass
from pathlib import Path

from saltseg.plumbing.errors import InputError


def check_project(root: Path) -> None:
    """Raise InputError where `root` is no checkout of the project."""
    if not (root / "dvc.yaml").exists():
        raise InputError(f"{root.resolve()}: holds no dvc.yaml; call it in the project's folder")


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout: with dvc.yaml, the place that spells their names.

    Only what git and dvc.lock are asked for is spelled where they are asked.
    """

    root: Path

    @property
    def params(self) -> Path:
        """The parameters of every stage."""
        return self.root / "params.yaml"

    @property
    def recipes(self) -> Path:
        """The configurations that `dvc exp run -S recipe=NAME` selects."""
        return self.root / "conf" / "recipe"

    def data(self, stage: str, *parts: str | int) -> Path:
        """What `stage` hands on: data/STAGE, and below it one folder for each part."""
        return self.root.joinpath("data", stage, *map(str, parts))

    @property
    def truth(self) -> Path:
        """The truths of the embedded survey's test crops; empty with real data."""
        return self.root / "data" / "truth"

    @property
    def pretraining(self) -> Path:
        """Labelled crops of the embedded survey to pretrain on; as many as the parameters say."""
        return self.root / "data" / "pretraining"

    @property
    def models(self) -> Path:
        """The snapshots of all members: models/MEMBER/FOLD."""
        return self.root / "models"

    def model(self, member: str, fold: int) -> Path:
        """The snapshots of one member trained without one fold."""
        return self.models / member / str(fold)

    @property
    def weights(self) -> Path:
        """Files of pretrained weights that a user brings along."""
        return self.root / "weights"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of trainings that are not done; no stage's output.

        They lie with the main checkout, which DVC names: of the copy that `dvc exp run --temp` or
        a queue works in, nothing is found again.
        """
        return Path(os.environ.get("DVC_ROOT", self.root)) / "tmp" / "checkpoints"

    @property
    def logs(self) -> Path:
        """What the stages that `saltseg train` runs side by side say; no stage's output."""
        return self.root / "tmp" / "logs"

    @property
    def mlruns(self) -> Path:
        """The local store of MLflow, an absolute path: databases and artifacts are named by it."""
        return self.root.resolve() / "mlruns"

    @property
    def results(self) -> Path:
        """The metrics and plots of all stages."""
        return self.root / "results"

    def result(self, stage: str, *parts: str | int) -> Path:
        """The numbers of `stage`: results/STAGE.json, or results/STAGE/PART/PART.json."""
        return self.results.joinpath(stage, *map(str, parts)).with_suffix(".json")

    @property
    def score(self) -> Path:
        """The few numbers that people compare; submit writes them."""
        return self.results / "score.json"

    def plots(self, stage: str, *parts: str | int) -> Path:
        """The folder of the plots and figures of `stage`."""
        return self.results.joinpath("plots", stage, *map(str, parts))
