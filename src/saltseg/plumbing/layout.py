"""The locations of all files below the project's root."""

import os
from dataclasses import dataclass
from pathlib import Path

from saltseg.plumbing.errors import InputError


def check_project(root: Path) -> None:
    """Raise InputError if `root` is not a checkout of the project."""
    if not (root / "dvc.yaml").exists():
        raise InputError(f"{root.resolve()}: has no dvc.yaml; run this in the project's folder")


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout; only this class and dvc.yaml spell their names.

    Paths passed to git or looked up in dvc.lock are spelled where they are used.
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
        """The output of `stage`: data/STAGE, with one folder below it for each part."""
        return self.root.joinpath("data", stage, *map(str, parts))

    def teacher(self, fold: int | str) -> Path:
        """The weights of a fold's teacher, kept only for members that go on from them."""
        return self.data("pseudolabel", fold) / "teacher.safetensors"

    @property
    def truth(self) -> Path:
        """The true masks of the embedded survey's test crops; empty with real data."""
        return self.root / "data" / "truth"

    @property
    def pretraining(self) -> Path:
        """Labelled crops of the embedded survey for pretraining."""
        return self.root / "data" / "pretraining"

    @property
    def models(self) -> Path:
        """The snapshots of all members: models/MEMBER/FOLD."""
        return self.root / "models"

    def model(self, member: str, fold: int | str) -> Path:
        """The snapshots of one member trained without one fold."""
        return self.models / member / str(fold)

    @property
    def weights(self) -> Path:
        """Pretrained weight files supplied by the user."""
        return self.root / "weights"

    def outside(self, name: str) -> Path:
        """The predictions of another system, supplied by the user."""
        return self.root / "outside" / name

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of unfinished trainings; not an output of any stage.

        They lie in the main checkout: the copies in which `dvc exp run --temp` and queues work are
        thrown away.
        """
        return Layout(self.main).own_checkpoints

    @property
    def own_checkpoints(self) -> Path:
        """The place for checkpoints in this checkout, where DVC_ROOT names no main one."""
        return self.root / "tmp" / "checkpoints"

    @property
    def claims(self) -> Path:
        """Locks of the items that processes train on a cluster; not an output of any stage."""
        return self.main / "tmp" / "claims"

    @property
    def stages_lock(self) -> Path:
        """The lock under which stages run here while items are trained on a cluster."""
        return self.main / "tmp" / "stages.lock"

    @property
    def main(self) -> Path:
        """The main checkout, named by DVC_ROOT: this one, unless it is an experiment's copy."""
        return Path(os.environ.get("DVC_ROOT", self.root))

    def log(self, name: str) -> Path:
        """The log of an item or trial that runs beside others; not an output of any stage.

        Those of an experiment's copy lie in the main checkout, in a folder of its name.
        """
        folder = self.main / "tmp" / "logs" / os.environ.get("DVC_EXP_NAME", "")
        return folder / f"{name}.log"

    @property
    def mlruns(self) -> Path:
        """The local MLflow store; absolute, because databases and artifacts record the path."""
        return self.root.resolve() / "mlruns"

    @property
    def results(self) -> Path:
        """The metrics and plots of all stages."""
        return self.root / "results"

    def result(self, stage: str, *parts: str | int) -> Path:
        """The metrics of `stage`: results/STAGE.json, or results/STAGE/PART/PART.json."""
        return self.results.joinpath(stage, *map(str, parts)).with_suffix(".json")

    @property
    def score(self) -> Path:
        """The headline scores, written by submit."""
        return self.results / "score.json"

    @property
    def uploads(self) -> Path:
        """The log of submissions that were uploaded to Kaggle."""
        return self.results / "uploads.csv"

    @property
    def report(self) -> Path:
        """The page on the whole run, written by submit."""
        return self.results / "report.html"

    def plots(self, stage: str, *parts: str | int) -> Path:
        """The folder of the plots and figures of `stage`."""
        return self.results.joinpath("plots", stage, *map(str, parts))
