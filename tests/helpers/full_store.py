"""A process that fills the object stores of a cluster and keeps them full.

    python -m tests.helpers.full_store ADDRESS   # full_stores starts it

What it holds is in use, so that Ray can neither drop it nor move it to a disk.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

PIECE, LEFT = 250_000, 500_000
"""Bytes of an object that fills a store, and those that are left free in each store."""


@contextmanager
def full_stores(address: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Keep the stores of all nodes full.

    variables: the environment of who may connect.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.full_store", address],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(variables),
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "full\n", "the stores could not be filled; see above"
        yield
    finally:
        process.communicate("end\n")


class Holder:
    """An actor that fills the store of its node."""

    def fill(self) -> None:
        """Put objects there, and use them."""
        import ray

        here = ray.get_runtime_context().get_node_id()
        store = next(node["Resources"] for node in ray.nodes() if node["NodeID"] == here)
        count = (int(store["object_store_memory"]) - LEFT) // PIECE
        self._used = [ray.get(ray.put(np.ones(PIECE, np.uint8))) for _ in range(count)]


def main(address: str) -> None:
    """Fill the stores until there is a line on standard input."""
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
        print("full", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1])
