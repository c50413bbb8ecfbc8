"""The run of a pipeline whose items run on the nodes of a cluster: one run, with all stages below.

The process that runs the pipeline opens it. Recorders on the nodes join it: they add the runs of
their stages, and leave its end to the recorder that opened it.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import yaml

from saltseg.config.params import Params
from saltseg.plumbing.errors import InputError, printable
from saltseg.plumbing.layout import Layout
from saltseg.tracking.address import server_uri
from saltseg.tracking.clock import now_ms
from saltseg.tracking.messages import read_answer
from saltseg.tracking.time_limits import StoreError
from saltseg.tracking.wire import Wire, WireError, open_wire, pipeline_command, pipeline_process

RUN_VARIABLE = "SALTSEG_PIPELINE_RUN"
"""Variable of a node with the id of the run to join; empty if MLflow could not be reached."""

NODES = "nodes.json"
"""The file in a run's record that says on which node each item ran."""

_PATIENCE = 60.0


def check_shared_store() -> None:
    """Raise InputError unless MLflow's store is one that all nodes of a cluster can reach."""
    uri = server_uri()
    remedy = "start 'mlflow server' and set MLFLOW_TRACKING_URI to its http://HOST:PORT"
    if uri is None:
        raise InputError(
            "MLFLOW_TRACKING_URI: is not set, and the nodes of a cluster cannot share the database"
            f" in mlruns; {remedy}"
        )
    if uri.startswith("sqlite"):
        raise InputError(
            f"MLFLOW_TRACKING_URI: {uri} is a local SQLite database, which the nodes of a cluster"
            f" cannot share; {remedy}"
        )


def joined_run() -> str | None:
    """Return the id of the run that this node's recorder joins; None if it opens its own.

    Raises StoreError if the process that runs the pipeline could not open one.
    """
    run = os.environ.get(RUN_VARIABLE)
    if run == "":
        raise StoreError("the pipeline's run could not be opened where the pipeline was started")
    return run


class ClusterRun:
    """The pipeline's open run, as the process that runs the pipeline sees it."""

    def __init__(self, wire: Wire | None) -> None:
        """Take the wire to this pipeline's recorder; None without one."""
        self._wire = wire
        self.run = ""
        """Its id; "" if MLflow could not be reached."""

    def nodes(self, items: Mapping[str, Mapping[str, str]]) -> None:
        """Record facts of the node that each item ran on."""
        self.tell("nodes", content={item: dict(node) for item, node in items.items()})

    def failed(self, stage: str, error: str) -> None:
        """Record that a stage failed."""
        self.tell("failed", stage=stage, error=error)

    def tell(self, kind: str, **content: object) -> None:
        """Send one message and wait for its answer; after a failure nothing more is sent."""
        if self._wire is None:
            return
        try:
            self._wire.send({"kind": kind, "time": now_ms(), **content})
            answer = read_answer(self._wire.receive(_PATIENCE))
        except (OSError, ValueError) as error:
            answer = {"lost": str(error)}
        if answer["lost"] is not None:
            warn_lost(answer["lost"])
            self._wire = None
        else:
            self.run = answer["run"]


@contextmanager
def open_cluster_run(layout: Layout, params: Params) -> Iterator[ClusterRun]:
    """Open the run of the pipeline that this process runs; its recorder ends it.

    If MLflow cannot be reached, one line warns, and nothing is recorded.
    """
    main = layout.main.resolve()
    folder, root, pipeline = Layout(main).mlruns, layout.root.resolve(), pipeline_process()
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wire = open_wire(folder, root, pipeline)
    except (OSError, WireError) as error:
        warn_lost(str(error))
        yield ClusterRun(None)
        return
    with closing(wire):
        run = ClusterRun(wire)
        run.tell(
            "open",
            stage=next(iter(stages)),
            root=str(root),
            main=str(main),
            params=params.model_dump(mode="json"),
            pipeline=pipeline,
            command=pipeline_command(pipeline),
        )
        yield run


def warn_lost(reason: str) -> None:
    """Say in one line that MLflow lacks something."""
    told = f"the results will be complete, but the run in MLflow will not be: {reason}"
    print(f"saltseg: warning: {printable(told)}", file=sys.stderr, flush=True)
