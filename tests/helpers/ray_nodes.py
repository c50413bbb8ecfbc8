"""A real Ray cluster of two nodes on this machine, each with a temporary folder of its own.

    python -m tests.helpers.ray_nodes FOLDER   # RayNodes starts it

Ray reads its settings when it is imported, so the cluster lives in a process of its own. Its nodes
have loopback addresses of their own, 127.0.0.2 and 127.0.0.3, so that nobody else reaches them.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_SOON_DEAD = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 20_000,
    "health_check_failure_threshold": 3,
}
"""A killed node refuses the check at once; a busy one has time to answer it."""

_PATIENCE = 600
"""Seconds that the cluster's end may take on a busy machine."""

_ATTEMPTS = 6
"""Starts of the cluster: on a busy machine Ray gives up after 30 s, which cannot be set."""


@dataclass
class RayNodes:
    """The running cluster, as tests see it."""

    address: str
    raylets: list[int]
    """Process of each node."""
    variables: dict[str, str]
    """Environment variables of those who may connect."""
    folders: list[Path]
    """Temporary folder of each node."""
    process: "subprocess.Popen[str]"

    def kill(self, node: int) -> None:
        """Kill a node at once: its raylet, workers, and all that they started."""
        raylet = psutil.Process(self.raylets[node])
        for each in [raylet, *raylet.children(recursive=True)]:
            each.kill()

    def add(self) -> None:
        """Start another node, in place of the one that was killed."""
        self._ask("add")
        self.raylets[1] = int(self._answer())

    def _ask(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextmanager
def ray_nodes(folder: Path, variables: Mapping[str, str]) -> Iterator[RayNodes]:
    """Run a cluster of two nodes with one CPU each; connecting to it takes its token.

    variables: environment variables that its nodes have.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folders = [folder / "first", folder / "second"]
    for each in folders:
        each.mkdir(parents=True)
    environment = kept | token | dict(variables)
    environment |= {"PATH": scripts, "RAY_USAGE_STATS_ENABLED": "0"}
    for attempt in range(_ATTEMPTS):
        process = _start(folders, folder / f"log{attempt}", environment)
        assert process.stdout is not None
        line = process.stdout.readline()
        if line:
            break
    assert line, (folder / f"log{attempt}").read_text()
    told = json.loads(line)
    try:
        yield RayNodes(told["address"], told["raylets"], token, folders, process)
    finally:
        process.communicate("end\n", timeout=_PATIENCE)


def _start(folders: list[Path], log: Path, environment: dict[str, str]) -> "subprocess.Popen[str]":
    with log.open("w") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.ray_nodes", *map(str, folders)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream, text=True,
            env=environment, cwd=Path(__file__).parents[2],
        )  # fmt: skip


def main(folders: list[str]) -> None:
    """Run the cluster until standard input ends; each line `add` adds a second node."""
    from ray.cluster_utils import Cluster

    usual: dict[str, Any] = {
        "num_cpus": 1,
        "object_store_memory": 80_000_000,  # about the least that Ray allows
        "include_dashboard": False,
    }
    first = usual | {"node_ip_address": "127.0.0.2", "env_vars": {"TMPDIR": folders[0]}}
    second = usual | {"node_ip_address": "127.0.0.3", "env_vars": {"TMPDIR": folders[1]}}
    cluster = Cluster(
        initialize_head=True, connect=False, head_node_args=first | {"_system_config": _SOON_DEAD}
    )
    nodes = [cluster.head_node, cluster.add_node(**second)]
    pids = [node.all_processes["raylet"][0].process.pid for node in nodes]
    print(json.dumps({"address": cluster.address, "raylets": pids}), flush=True)
    for line in sys.stdin:
        if line.strip() != "add":
            break
        node = cluster.add_node(**second)
        print(node.all_processes["raylet"][0].process.pid, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
