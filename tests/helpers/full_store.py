"""A process that fills the object stores of a cluster, keeps them full, and watches them.

    python -m tests.helpers.full_store ADDRESS   # full_stores starts it

What it holds is in use, so that Ray can neither drop it nor move it to a disk.
"""

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PIECE, LEFT = 250_000, 500_000
"""Bytes of an object that fills a store, and those that are left free in each store."""

_TICK = 0.1


@dataclass
class FullStores:
    """What was seen of the stores, in bytes of all nodes together."""

    before: int
    """In use once they were full."""
    most: int = 0
    """Most in use until the end."""


@contextmanager
def full_stores(address: str, variables: Mapping[str, str]) -> Iterator[FullStores]:
    """Fill the stores of all nodes; what was seen is told at the end.

    variables: the environment of who may connect.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.full_store", address],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(variables),
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the stores could not be filled; see above"
    seen = FullStores(**json.loads(line))
    try:
        yield seen
    finally:
        said, _ = process.communicate("end\n")
    seen.most = json.loads(said)["most"]


class Holder:
    """An actor that fills the store of its node."""

    def fill(self) -> None:
        """Put objects there, and use them."""
        import ray

        here = ray.get_runtime_context().get_node_id()
        store = next(node["Resources"] for node in ray.nodes() if node["NodeID"] == here)
        count = (int(store["object_store_memory"]) - LEFT) // PIECE
        self._used = [ray.get(ray.put(np.ones(PIECE, np.uint8))) for _ in range(count)]


def used() -> int:
    """Return the bytes in use of all stores."""
    import ray

    key = "object_store_memory"
    return int(ray.cluster_resources()[key] - ray.available_resources().get(key, 0))


def main(address: str) -> None:
    """Fill the stores, and watch them until there is a line on standard input."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from saltseg.cluster.ray_cluster import connected

    with connected(address):
        holders: list[Any] = []  # of Ray's actors, whose methods its types do not tell
        for node in ray.nodes():
            if node["Alive"]:
                there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                options = {"num_cpus": 0, "scheduling_strategy": there}
                holders.append(ray.remote(Holder).options(**options).remote())
        ray.get([each.fill.remote() for each in holders])
        _await_report()
        before = most = used()
        print(json.dumps({"before": before}), flush=True)
        while not select.select([sys.stdin], [], [], _TICK)[0]:
            most = max(most, used())
        print(json.dumps({"most": most}), flush=True)


def _await_report() -> None:
    """Wait until nodes have told of what was put there: they tell it in intervals."""
    seen = -1
    while seen != used():
        seen = used()
        time.sleep(2)


if __name__ == "__main__":
    main(sys.argv[1])
