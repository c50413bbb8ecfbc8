"""The trials of an ablation on a cluster: several at a time, each a process with its own copy.

Each is what `saltseg train --ray` does, in a copy of the project that becomes a DVC experiment.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

from saltseg.ablation.plan import Plan, Trial
from saltseg.ablation.trials import STAGE
from saltseg.cluster.code_shipment import sent_storage
from saltseg.cluster.ray_cluster import connected
from saltseg.cluster.trial_process import Order
from saltseg.plumbing.errors import InputError, first_few, printable
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_process import Process, ended_with_this, start_watched
from saltseg.project.git import git
from saltseg.tracking.cluster_run import check_shared_store

_TICK = 0.5


@dataclass
class _Running:
    """A trial at work, and how far its log has been shown."""

    place: str
    trial: Trial
    process: Process
    log: Path
    shown: int = 0

    def show(self) -> None:
        """Show what is new in its log, line by line."""
        with self.log.open("rb") as log:
            log.seek(self.shown)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self.shown += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            last = line.rpartition("\r")[2].strip()
            if last:
                print(printable(f"{self.place} {last}"), file=sys.stderr, flush=True)


def run_on_cluster(
    root: Path, plan: Plan, trials: Sequence[Trial], address: str, states: Path | None
) -> None:
    """Run trials on the cluster at `address`, as many at a time as keep it busy.

    states: see `train_on_cluster`. What they print goes to standard error.
    Raises InputError for what is missing, if the project has changed since the plan was made, and
    for failed trials after the others have ended.
    """
    if not trials:
        return
    check_shared_store()
    sent_storage(root)
    with connected(address) as cluster:
        places = cluster.places(cluster.share(trials[0].params.runtime))
    waiting = list(enumerate(trials, start=1))
    running: list[_Running] = []
    failed: list[Trial] = []
    with ended_with_this(lambda: [each.process for each in running]):
        while running or waiting:
            while waiting and len(running) < _at_once(trials[0], places):
                number, trial = waiting.pop(0)
                plan.composer.check_unchanged(trial)
                order = Order(plan.request.base, trial.overrides, trial.name, STAGE, address,
                              None if states is None else str(states.resolve()))  # fmt: skip
                running.append(_start(root, f"[{number}/{len(trials)}]", trial, order))
            time.sleep(_TICK)
            failed += _end(running)
    if failed:
        raise InputError(
            f"{first_few([trial.name for trial in failed])} failed, see the output above; the same"
            " command resumes from there"
        )


def _at_once(trial: Trial, places: int) -> int:
    """Return how many trials keep a cluster busy: one more than fill it with their items.

    The stages before and after the items run here, while the cluster works at other trials.
    """
    training = trial.params.train_per_fold
    return ceil(places / (len(training.members) * len(training.folds))) + 1


def _start(root: Path, place: str, trial: Trial, order: Order) -> _Running:
    print(f"{place} {trial.label}, seed {trial.seed}: {trial.name}", file=sys.stderr, flush=True)
    log = Layout(root).log(trial.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    experiment = {
        "DVC_EXP_NAME": trial.name,
        "DVC_EXP_BASELINE_REV": git(root, "rev-parse", "HEAD").decode().strip(),
        "DVC_ROOT": str(root.resolve()),
    }
    with log.open("wb") as output:
        process = start_watched(
            "saltseg.cluster.trial_process", root, [json.dumps(asdict(order))],
            os.environ | experiment, output.fileno(),
        )  # fmt: skip
    return _Running(place, trial, process, log)


def _end(running: list[_Running]) -> list[Trial]:
    """Show what is new, remove the trials that have ended, and return those that failed."""
    failed = []
    for each in list(running):
        code = each.process.poll()  # asked first, so that the last words are shown
        with suppress(FileNotFoundError):
            each.show()
        if code is None:
            continue
        running.remove(each)
        if code != 0:
            failed.append(each.trial)
    return failed
