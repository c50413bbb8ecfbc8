"""Predicting a survey on the nodes of a Ray cluster."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property

from saltseg.cluster.dealing import Dealer
from saltseg.cluster.node import Versions, packed
from saltseg.cluster.ray_cluster import connected
from saltseg.cluster.shared_folder import SharedFolder
from saltseg.config.params import load_params
from saltseg.plumbing.errors import InputError, reason_of
from saltseg.plumbing.layout import Layout
from saltseg.seismic.opening import open_survey
from saltseg.serving.survey_worker import Piece, SurveyTask, SurveyWorker, Workers


@contextmanager
def cluster_workers(task: SurveyTask, address: str) -> Iterator[Workers]:
    """Yield workers on the nodes of the cluster at `address`, as many as it has room for.

    The model is copied into the work's folder, which all nodes must see, as they must the survey.
    """
    model = task.folder / "model"
    shutil.copytree(task.model, model, dirs_exist_ok=True)
    shared = SharedFolder.made(task.folder)
    with connected(address) as cluster:
        share = cluster.share_at_most(load_params(Layout(model).params).runtime)
        versions = Versions.here()
        yield Dealer(cluster, share, NodeWorker, (replace(task, model=model), versions, shared))


class NodeWorker:
    """A worker on a node, as an actor of Ray; it answers in messages of cluster.node."""

    def __init__(self, task: SurveyTask, versions: Versions, shared: SharedFolder) -> None:
        """Open nothing yet, so that what is wrong can be answered."""
        self._task, self._versions, self._shared = task, versions, shared

    @cached_property
    def _worker(self) -> SurveyWorker:
        self._versions.check()
        self._shared.check()
        task = self._task
        return SurveyWorker(task, open_survey(task.survey, task.options, task.out))

    def ready(self) -> bytes:
        """Answer, once this actor has found a place; what is wrong there is told."""
        return self.work(None)

    def work(self, piece: Piece | None) -> bytes:
        """Do a piece; None to open the survey only."""
        try:
            if piece is None:
                self._worker.files.wanted()
            else:
                self._worker.work(piece)
        except (InputError, OSError) as error:
            return packed(kind="failed", reason=reason_of(error))
        return packed(kind="done")
