"""Reaching a Ray cluster, and what its nodes have to give."""

import ipaddress
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saltseg.config.sections import Runtime
from saltseg.plumbing.errors import InputError, reason_of
from saltseg.project.dvc_process import interrupt_when_told

if TYPE_CHECKING:
    from types import ModuleType

_PATIENCE = 5.0
"""Seconds for a first connection to the cluster."""


@dataclass(frozen=True)
class Share:
    """What one piece of work takes of a node."""

    cpus: int
    gpus: int = 0

    def options(self) -> dict[str, Any]:
        """Return it as options of a task or an actor of Ray."""
        return {"num_cpus": self.cpus, "num_gpus": self.gpus}


class RayCluster:
    """A cluster that this process is connected to."""

    def __init__(self, address: str) -> None:
        """Take the address, for messages."""
        self.address = address

    def share(self, runtime: Runtime) -> Share:
        """Return what an item takes: a GPU where params.yaml asks for one, or its CPU threads.

        `auto` asks for a GPU if any node has one. Raises InputError if no node has enough.
        """
        share, most = self.share_at_most(runtime), self._most("CPU")
        if runtime.accelerator == "cuda" and not share.gpus:
            raise InputError(
                f"runtime.accelerator: cuda asks for a GPU, and no node of {self.address} has one;"
                " start Ray on a node with one, or set it to cpu or auto"
            )
        if not share.gpus and most < runtime.threads:
            raise InputError(
                f"runtime.threads: {runtime.threads} is more than the {most:g} CPUs of the largest"
                f" node of {self.address}; lower it, or start Ray there with more"
            )
        return share

    def share_at_most(self, runtime: Runtime) -> Share:
        """Return the same, but no more than the largest node has: for work that may be slower."""
        if runtime.accelerator in ("auto", "cuda") and self._most("GPU"):
            return Share(cpus=1, gpus=1)
        return Share(cpus=max(min(runtime.threads, int(self._most("CPU"))), 1))

    def _most(self, resource: str) -> float:
        return max((node.get(resource, 0) for node in self._resources()), default=0)

    def places(self, share: Share) -> int:
        """Return how many pieces of work fit into the cluster at once."""
        wanted = {"CPU": share.cpus, "GPU": share.gpus}
        return sum(
            min(int(node.get(name, 0) // count) for name, count in wanted.items() if count)
            for node in self._resources()
        )

    def _resources(self) -> list[Mapping[str, float]]:
        import ray

        return [node["Resources"] for node in ray.nodes() if node["Alive"]]


@contextmanager
def connected(address: str) -> Iterator[RayCluster]:
    """Connect this process, which must run on a node, to the cluster at `address`.

    address: HOST:PORT, or "auto" for the cluster that this machine is a node of.
    Raises InputError if there is no Ray or no cluster, if versions differ, and if the cluster would
    let anybody in who reaches it.
    """
    ray = _library()
    local = _check_address(address)
    try:
        # Where nodes bind to loopback addresses, this process must have one of them.
        own = {"_node_ip_address": local} if local else {}
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError) as error:
        raise InputError(_explained(address, error)) from error
    try:
        interrupt_when_told()  # Ray has set handlers of its own
        _check_token(address, ray.get_runtime_context().gcs_address)
        yield RayCluster(address)
    finally:
        ray.shutdown()


def _library() -> "ModuleType":
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise InputError(
            "--ray: Ray is not installed; install it with 'pip install saltseg[ray]'"
        ) from error
    return ray


def _check_address(address: str) -> str | None:
    """Return the host if it is a loopback address. Raises InputError unless one listens there."""
    if address == "auto":
        return None
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        raise InputError(
            f"--ray: {address!r} is not an address; give HOST:PORT as 'ray start' printed it, or"
            " auto, and start the command on a node of the cluster"
        )
    try:
        with socket.create_connection((host, int(port)), _PATIENCE):
            pass
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--ray: nobody answers at {address} ({error}); see 'ray status', or start a cluster"
            " with 'ray start --head'"
        ) from error
    return host if _is_loopback(host) else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_token(address: str, reached: str) -> None:
    """Refuse a cluster that runs the code of anybody who reaches it over the network."""
    asked = os.environ.get("RAY_AUTH_MODE") in ("token", "k8s")
    if asked or _is_loopback(reached.rpartition(":")[0]):
        return
    raise InputError(
        f"--ray: {address} asks for no token, so whoever reaches it can run code on its nodes; set"
        " RAY_AUTH_MODE=token on all nodes and here, see docs/scaling.md, and restart Ray"
    )


def _explained(address: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    if "Version mismatch" in said:
        return f"--ray: {address}: {said}; install the same Ray and Python on all nodes"
    return (  # Ray does not say which of the two is missing
        f"--ray: {address}: cannot be connected to ({reason_of(error)}); start the command on one"
        " of its nodes, with the token of its nodes: RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or"
        " RAY_AUTH_TOKEN_PATH"
    )
