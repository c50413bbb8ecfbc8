"""The items of the matrix stages, teachers and members by fold, and what runs before and after."""

import os
from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import plan_repro
from dvc.stage import Stage

from saltseg.plumbing.errors import InputError
from saltseg.project.dvc_process import run_dvc
from saltseg.project.git import NO_REPOSITORY, no_repository
from saltseg.tracking.wire import PIPELINE_VARIABLE


@dataclass(frozen=True)
class Matrix:
    """The items of the matrix stages, and what must be reproduced before them."""

    above: list[str]
    """Stages that items depend on and that are not items themselves."""
    items: dict[str, set[str]]
    """For each item, the items it waits for, in the pipeline's order."""


def read_matrix(root: Path) -> Matrix:
    """Read the items of the matrix stages from DVC's graph."""
    try:
        with Repo(str(root)) as repo:
            graph = repo.index.graph
    except DvcException as error:
        if NO_REPOSITORY in str(error):
            raise InputError(no_repository(root)) from error
        raise InputError(f"{root / 'dvc.yaml'}: {' '.join(str(error).split())}") from error
    order = [_name(stage, root) for stage in plan_repro(graph)]
    needs = {
        _name(stage, root): {_name(each, root) for each in plan_repro(graph, [stage])[:-1]}
        for stage in graph
    }
    items = [name for name in order if "@" in name]
    above = {name for item in items for name in needs[item]} - set(items)
    return Matrix(
        above=[name for name in order if name in above],
        items={item: needs[item] & set(items) for item in items},
    )


def _name(stage: Stage, root: Path) -> str:
    """Return a stage of dvc.yaml, or a .dvc file, as a target of `dvc repro` in `root`."""
    name = getattr(stage, "name", None)
    return str(name or Path(stage.path).relative_to(root.resolve()))


def reproduce_stages(root: Path, targets: list[str]) -> None:
    """Reproduce `targets`, or the whole pipeline, with output shown. Raises InputError."""
    arguments = ["repro", *targets]
    if run_dvc(root, arguments, one_pipeline()) != 0:
        raise InputError(f"dvc {' '.join(arguments)} failed; see its output above")


def one_pipeline() -> dict[str, str]:
    """Return environment variables that put the stages of all jobs under one run in MLflow."""
    return {**os.environ, PIPELINE_VARIABLE: str(os.getpid())}
