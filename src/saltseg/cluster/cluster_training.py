"""Training the items of the matrix stages on the nodes of a Ray cluster.

Each item is a `dvc repro --single-item` in a clean checkout on its node. Outputs come back through
DVC's remote by hash, so dvc.lock, the cache and every byte are those of a plain `dvc repro`.
"""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saltseg.cluster.claims import Claims, stages_here
from saltseg.cluster.code_shipment import Shipment, check_inputs, pack_code
from saltseg.cluster.item_outputs import changes, restore_outputs, restored
from saltseg.cluster.item_task import ItemJob, run_item
from saltseg.cluster.matrix import read_matrix, reproduce_stages
from saltseg.cluster.node import Message, Versions, unpacked
from saltseg.cluster.progress import Progress
from saltseg.cluster.ray_cluster import RayCluster, connected
from saltseg.cluster.shared_folder import SharedFolder
from saltseg.config.params import Params, load_params
from saltseg.plumbing.errors import InputError, first_few, printable
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_process import run_dvc
from saltseg.tracking.cluster_run import (
    RUN_VARIABLE,
    ClusterRun,
    check_shared_store,
    open_cluster_run,
)

if TYPE_CHECKING:
    from ray import ObjectRef, ObjectRefGenerator

_ATTEMPTS = 5
"""Nodes that an item may lose before it counts as failed: it may be what kills them."""

_TICK = 1.0
_SHARED = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "DVC_EXP_NAME",
    "DVC_EXP_BASELINE_REV",
)
"""Variables that nodes take from here; credentials are those of the node."""


@dataclass
class _Running:
    """An item on a node, or waiting for one."""

    item: str
    started: float
    host: str = "a node"


def train_on_cluster(
    root: Path, address: str, states: Path | None, last: str | None = None
) -> None:
    """Reproduce the pipeline below `root`, the items of its matrix stages on a cluster's nodes.

    address: see `connected`. states: folder for checkpoints that all nodes see, so that another
    node goes on where one died; None: each node keeps its own. last: the last stage; None for all.
    Raises InputError for what is missing, and for failed items after the others have ended.
    """
    layout, params = Layout(root), load_params(Layout(root).params)
    check_shared_store()
    shipment, matrix = pack_code(root), read_matrix(root)
    check_inputs(root, shipment, matrix.items)
    with connected(address) as cluster:
        import ray

        cluster.share(params.runtime)  # before the stages above the items spend time
        if matrix.above:
            with stages_here(layout):
                reproduce_stages(root, matrix.above)
            _push(root, matrix.above)
        with open_cluster_run(layout, params) as run:
            items = _Items(layout, params, cluster, run, states)
            progress = items.train(matrix.items, ray.put(shipment))
            run.nodes(items.nodes)
    _check_processors(items.nodes)
    progress.check(layout)
    with stages_here(layout):
        reproduce_stages(root, [] if last is None else [last])


class _Items:
    """The items of one pipeline, on their way through the cluster."""

    def __init__(
        self,
        layout: Layout,
        params: Params,
        cluster: RayCluster,
        run: ClusterRun,
        states: Path | None,
    ) -> None:
        self.nodes: dict[str, dict[str, str]] = {}
        """Facts of the node that each item ran on."""
        self._layout = layout
        self._run = run
        self._share = cluster.share(params.runtime)
        self._states = None if states is None else SharedFolder.made(states)
        self._versions = Versions.here()
        self._claims = Claims(layout)
        shared = {name: os.environ[name] for name in _SHARED if name in os.environ}
        threads = {"OMP_NUM_THREADS": str(params.runtime.threads)}
        self._variables = shared | threads | {RUN_VARIABLE: run.run}

    def train(self, items: Mapping[str, set[str]], shipment: "ObjectRef[Shipment]") -> Progress:
        """Run all items, each after those it needs; items that need a failed one stay waiting."""
        import ray

        progress = Progress.of_items(items)
        running: dict[ObjectRefGenerator[bytes], _Running] = {}
        try:
            while running or progress.ready():
                for item in self._changed(progress):
                    running[self._submit(item, shipment)] = _Running(item, time.monotonic())
                if not running:
                    time.sleep(_TICK)  # another process may have what is ready
                    continue
                for stream in ray.wait([*running], timeout=_TICK)[0]:
                    if self._follow(stream, running[stream], progress, items):
                        self._claims.leave(running.pop(stream).item)
        except BaseException:
            for stream in running:
                ray.cancel(stream)
            raise
        return progress

    def _changed(self, progress: Progress) -> Iterable[str]:
        """Claim the ready items; return those that must run. Others are done already."""
        ready = [item for item in progress.ready() if self._claims.take(item)]
        if not ready:
            return []
        for item in ready:
            del progress.waiting[item]
        root = self._layout.root
        changed = changes(root, ready)
        done = [item for item in ready if item not in changed or restored(root, item)]
        if done:
            print(f"{first_few(done)}: unchanged, or in DVC's cache", flush=True)
            _push(root, done)
            progress.done.update(done)
        for item in done:
            self._claims.leave(item)
        return [item for item in ready if item not in done]

    def _submit(self, item: str, shipment: "ObjectRef[Shipment]") -> "ObjectRefGenerator[bytes]":
        import ray

        lock = self._layout.root / "dvc.lock"
        job = ItemJob(item, lock.read_bytes() if lock.exists() else None, self._variables,
                      self._versions, self._states)  # fmt: skip
        log = self._layout.log(item)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        task = ray.remote(run_item).options(max_retries=0, name=item, **self._share.options())
        stream: ObjectRefGenerator[bytes] = task.remote(shipment, job)
        return stream

    def _follow(
        self,
        stream: "ObjectRefGenerator[bytes]",
        running: _Running,
        progress: Progress,
        items: Mapping[str, set[str]],
    ) -> bool:
        """Handle an item's next message; return whether it has left its node."""
        import ray

        try:
            message = unpacked(ray.get(next(stream)))
        except ray.exceptions.RayTaskError as error:
            message = {"kind": "failed", "reason": _last_line(str(error))}
        except (ray.exceptions.RayError, StopIteration):
            self._lose(running, progress, items)
            return True
        return self._handle(message, running, progress)

    def _handle(self, message: Message, running: _Running, progress: Progress) -> bool:
        item, kind = running.item, message["kind"]
        if kind == "began":
            self.nodes[item] = message["node"]
            running.host = f"{message['node']['host']} ({message['node']['address']})"
            _say(item, f"started on {running.host}")
        elif kind == "log":
            with self._layout.log(item).open("a", encoding="utf-8") as log:
                log.write(message["text"])
            _show(item, message["text"])
        elif kind == "failed":
            self._fail(running, message["reason"], progress)
        else:
            self._finish(running, message, progress)
        return kind in ("done", "failed")

    def _finish(self, running: _Running, message: Message, progress: Progress) -> None:
        """Bring an item's outputs here."""
        try:
            restore_outputs(self._layout.root, running.item, message["made"])
        except InputError as error:
            self._fail(running, str(error), progress)
            return
        progress.done.add(running.item)
        _say(running.item, f"done after {message['seconds']:.0f} s on {running.host}")

    def _lose(self, running: _Running, progress: Progress, items: Mapping[str, set[str]]) -> None:
        """Start an item again whose node or process died."""
        item = running.item
        attempt = progress.attempts.get(item, 0) + 1
        progress.attempts[item] = attempt
        if attempt >= _ATTEMPTS:
            self._fail(running, f"its process died {attempt} times", progress)
            return
        _say(item, f"lost with {running.host}; starts again where there is room")
        progress.waiting[item] = set(items[item])

    def _fail(self, running: _Running, reason: str, progress: Progress) -> None:
        seconds = f"{time.monotonic() - running.started:.0f} s"
        progress.failed.append(running.item)
        self._run.failed(running.item, reason)
        log = self._layout.log(running.item)
        _say(running.item, f"failed after {seconds} on {running.host}: {reason}; see {log}")


def _check_processors(nodes: Mapping[str, Mapping[str, str]]) -> None:
    """Say where bytes may depend on the node."""
    kinds = sorted({node["gpu"] or node["cpu"] for node in nodes.values()})
    if len(kinds) > 1:
        print(
            f"saltseg: items ran on {len(kinds)} kinds of processor ({first_few(kinds)}): their"
            " last digits may differ from those of one machine; the record says which ran where",
            flush=True,
        )


def _push(root: Path, names: Iterable[str]) -> None:
    """Push the outputs of stages, for nodes to fetch. Raises InputError."""
    if run_dvc(root, ["push", "--quiet", *names], os.environ) != 0:
        raise InputError("dvc push failed; see its output above, and 'dvc remote list'")


def _show(item: str, text: str) -> None:
    """Show the newest line of progress; the log keeps all."""
    lines = [line for line in text.replace("\r", "\n").split("\n") if line.strip()]
    if lines:
        _say(item, lines[-1].strip())


def _say(item: str, text: str) -> None:
    print(printable(f"{item}: {text}"), flush=True)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2][:300]
