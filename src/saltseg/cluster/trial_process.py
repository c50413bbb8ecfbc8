"""One trial of an ablation on a cluster, as a process of its own.

    python -m saltseg.cluster.trial_process PARENT ORDER   # cluster.trials starts it

It works in a copy of the project, as `dvc exp run --temp` does, and leaves an experiment.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo

from saltseg.ablation.overrides import write_base
from saltseg.cluster.cluster_training import train_on_cluster
from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.scratch_folders import scratch_folder
from saltseg.project.dvc_process import interrupt_when_told, run_dvc
from saltseg.project.git import PATCH, GitError, git, top_folder
from saltseg.project.processes import end_group_with
from saltseg.reproduction.clean_clone import borrow_code, share_storage

_PREFIX = "saltseg-trial-"


@dataclass(frozen=True)
class Order:
    """What a trial's process is told, in JSON."""

    base: str
    overrides: Sequence[str]
    name: str
    """Of its experiment."""
    last: str
    """The last stage that it runs."""
    address: str
    states: str | None


def main() -> None:
    """Run the trial of the project in the current folder."""
    end_group_with(int(sys.argv[1]))
    interrupt_when_told()
    with one_line_errors():
        _run(Path.cwd(), Order(**json.loads(sys.argv[2])))


def _run(root: Path, order: Order) -> None:
    with scratch_folder(_PREFIX) as folder:
        clone = folder / "project"
        commit = git(root, "rev-parse", "HEAD").decode().strip()
        # As in any experiment of DVC: with changes, but without files that git does not know.
        borrow_code(root, clone, commit, git(root, *PATCH, "HEAD"))
        git(clone, "add", "--all")
        _copy_name(root, clone)
        project = clone / top_folder(root)[1]
        share_storage(root, project, folder / "dvc")
        write_base(Layout(project), order.base, order.overrides)
        _dvc(project, "checkout", "--quiet", "--allow-missing")
        states = None if order.states is None else Path(order.states)
        train_on_cluster(project, order.address, states, order.last)
        commit_experiment(project, order.name)
        reference = f"refs/exps/{commit[:2]}/{commit[2:]}/{order.name}"
        git(root, "fetch", "--quiet", str(clone), f"HEAD:{reference}")


def commit_experiment(project: Path, name: str) -> None:
    """Commit what `dvc exp run` would: what git has, dvc.lock, and outputs that no cache keeps.

    `dvc exp save` would also commit the plots, which the cache keeps.
    """
    with Repo(str(project)) as repo:
        outs = [out for stage in repo.index.stages for out in stage.outs if not out.use_cache]
        made = [path for path in (Path(out.fs_path) for out in outs) if path.exists()]
        git(project, "add", "--update", ":/")
        git(project, "add", "--", "dvc.lock", *map(str, made))
        # By DVC, which needs no name of a user in git's configuration.
        repo.scm.commit(f"dvc: commit experiment {name}", no_verify=True)


def _copy_name(root: Path, clone: Path) -> None:
    """Have experiments be by whom they would be in `root`."""
    for key in ("user.name", "user.email"):
        try:
            name = git(root, "config", key).decode().strip()
        except GitError:  # it has none
            continue
        git(clone, "config", key, name)


def _dvc(project: Path, *arguments: str) -> None:
    if run_dvc(project, arguments, os.environ) != 0:
        raise InputError(f"dvc {arguments[0]} failed; see its output above")


if __name__ == "__main__":
    main()
