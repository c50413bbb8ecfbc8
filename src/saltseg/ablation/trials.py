"""The trials as DVC experiments: run where they are not there yet, and their scores read back."""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import dvc.api
import pandas as pd
from dvc.exceptions import DvcException

from saltseg.ablation.plan import Plan, Trial, dvc_options
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_experiments import Experiment, list_experiments
from saltseg.project.dvc_process import STANDARD_ERROR, run_dvc
from saltseg.project.git import find_commit

STAGE = "postprocess-connected-components"
"""The last stage that a trial runs: behind it no score changes."""

_SCORES = (Layout(Path()).data(STAGE) / "out_of_fold_scores.parquet").as_posix()


@dataclass(frozen=True)
class Outcome:
    """A finished trial."""

    trial: Trial
    experiment: Experiment
    scores: pd.DataFrame
    """Lines id, fold, mosaic, before, after: the nested score of each out-of-fold crop."""


def run_trial(root: Path, plan: Plan, trial: Trial) -> Outcome:
    """Return what a trial came to; run it where no experiment has it.

    It runs in a copy of the project, as `dvc exp run --temp` does; what it says goes to standard
    error. Raises InputError where it fails, and where its experiment has lost its scores.
    """
    known = _find(root, trial)
    if known:
        return known
    options = ["--temp", "--name", trial.name, *dvc_options(plan.request, trial), STAGE]
    arguments = ["--wait-for-lock", "exp", "run", *options]
    code = run_dvc(root, arguments, os.environ, STANDARD_ERROR)
    done = _find(root, trial) if code == 0 else None
    if done is None:
        raise InputError(
            f"{trial.label}, seed {trial.seed}: experiment {trial.name} failed, its last lines "
            "above say why; the same command then goes on from there"
        )
    return done


def _find(root: Path, trial: Trial) -> Outcome | None:
    """Return the outcome of a trial whose experiment exists, under any name of the same hash.

    Raises InputError where its scores are gone and DVC would not run it again: it has one
    experiment of a name at a commit.
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
    """Read an experiment's scores from DVC's cache or remote; None where neither has them."""
    try:
        content = dvc.api.read(_SCORES, str(root), experiment.revision, mode="rb")
    except (DvcException, OSError):
        return None
    return pd.read_parquet(io.BytesIO(content))
