"""The pieces of work that the benchmark of a Ray cluster deals out; its nodes import this."""

from functools import cached_property
from types import SimpleNamespace

import numpy as np

from saltseg.cluster.node import packed
from saltseg.seismic.opening import open_survey
from saltseg.seismic.scaling import Scale
from saltseg.seismic.survey import Section
from saltseg.serving.survey_cluster import NodeWorker
from saltseg.serving.survey_worker import SurveyWorker

LOOPS = 2_000_000
"""Of a piece that keeps a core busy for a tenth of a second or so."""


class StubNetworks:
    """Takes positive amplitudes for salt: all that networks do but computing."""

    def predict(self, section: Section, scale: Scale, sample_scale: float) -> SimpleNamespace:
        """Return mean and variance over networks, as SurveyNetworks does."""
        mean = (section.amplitude > 0).astype(np.float32)
        return SimpleNamespace(mean=mean, variance=np.zeros_like(mean))


class _StubWorker(SurveyWorker):
    _networks = StubNetworks()  # type: ignore[assignment]


class StubNodeWorker(NodeWorker):
    """A real worker on a node, with real files, but without networks."""

    @cached_property
    def _worker(self) -> SurveyWorker:
        self._versions.check()
        self._shared.check()
        task = self._task
        return _StubWorker(task, open_survey(task.survey, task.options, task.out))


class BusyWorker:
    """Keeps a core busy, the same each time."""

    def ready(self) -> bytes:
        """Answer that it is there."""
        return packed(kind="done")

    def work(self, piece: int) -> bytes:
        """Count."""
        count = 0
        for each in range(LOOPS):
            count += each & 1
        return packed(kind="done", count=count)
