"""Trials as DVC experiments: running the missing ones, and reading their scores."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dvc.api
import pandas as pd
from dvc.exceptions import DvcException

from saltseg.ablation.overrides import PRESENT
from saltseg.ablation.plan import Plan, Request, Trial
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_experiments import Experiment, list_experiments
from saltseg.project.dvc_process import STANDARD_ERROR, run_dvc
from saltseg.project.git import find_commit

STAGE = "postprocess-connected-components"
"""The last stage that a trial runs; later stages change no score."""

_SCORES = (Layout(Path()).data(STAGE) / "out_of_fold_scores.parquet").as_posix()


@dataclass(frozen=True)
class Outcome:
    """A finished trial."""

    trial: Trial
    experiment: Experiment
    scores: pd.DataFrame
    """Lines id, fold, mosaic, before, after: the nested score of each out-of-fold crop."""


RunTrials = Callable[[Path, Plan, Sequence[Trial]], None]
"""Runs trials of a plan in a project; each must leave its experiment. Raises InputError."""


def run_in_turn(root: Path, plan: Plan, trials: Sequence[Trial]) -> None:
    """Run trials one by one, each like `dvc exp run --temp`, in a copy of the project.

    What they print goes to standard error. Raises InputError if one fails, or if the project has
    changed since the plan was made.
    """
    for number, trial in enumerate(trials, start=1):
        plan.composer.check_unchanged(trial)
        place = f"[{number}/{len(trials)}] {trial.label}, seed {trial.seed}"
        print(f"{place}: {trial.name}", file=sys.stderr, flush=True)
        options = ["--temp", "--name", trial.name, *dvc_options(plan.request, trial), STAGE]
        arguments = ["--wait-for-lock", "exp", "run", *options]
        if run_dvc(root, arguments, os.environ, STANDARD_ERROR) != 0:
            raise failure(trial)


def dvc_options(request: Request, trial: Trial) -> list[str]:
    """Return the options of `dvc exp run` for a trial's parameters."""
    base = ["--no-hydra"] if request.base == PRESENT else ["-S", f"recipe={request.base}"]
    return base + [option for override in trial.overrides for option in ("-S", override)]


def failure(trial: Trial) -> InputError:
    """Return the error of a trial that failed."""
    return InputError(
        f"{trial.label}, seed {trial.seed}: experiment {trial.name} failed, see its output "
        "above; the same command resumes from there"
    )


def finished(root: Path, trial: Trial) -> Outcome:
    """Return the outcome of a trial that has run. Raises InputError if it left none."""
    found = find_outcome(root, trial)
    if found is None:
        raise failure(trial)
    return found


def find_outcome(root: Path, trial: Trial) -> Outcome | None:
    """Return the outcome of a trial whose experiment exists, under any name with the same hash.

    Raises InputError if its scores are gone and DVC would not run it again, because it allows one
    experiment per name and commit.
    """
    in_the_way = (trial.name, find_commit(root, "HEAD"))
    lost = False
    for experiment in reversed(list_experiments(root)):
        if experiment.name.endswith(f"-{trial.digest}"):
            scores = _read_scores(root, experiment)
            if scores is not None:
                return Outcome(trial, experiment, scores)
            lost = lost or (experiment.name, experiment.baseline) == in_the_way
    if lost:
        raise InputError(
            f"experiment {trial.name}: {_SCORES} is neither in DVC's cache nor in a remote; fetch "
            f"it with 'dvc exp pull', or run 'dvc exp remove {trial.name}' and the same command "
            "again"
        )
    return None


def _read_scores(root: Path, experiment: Experiment) -> pd.DataFrame | None:
    """Read an experiment's scores from DVC's cache or remote; None if neither has them."""
    try:
        content = dvc.api.read(_SCORES, str(root), experiment.revision, mode="rb")
    except (DvcException, OSError):
        return None
    return pd.read_parquet(io.BytesIO(content))
