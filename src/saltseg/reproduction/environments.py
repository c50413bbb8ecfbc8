"""Comparing environments: machine, threads and versions, which can change a run's bytes."""

import os
from collections.abc import Mapping
from typing import Any

from saltseg.plumbing.flat import flat_params
from saltseg.project.run_files import environment
from saltseg.reproduction.records import RunRecord

Pairs = dict[str, tuple[str | None, str | None]]
"""Two values by name; None on a side without one."""

_THREADS = "OMP_NUM_THREADS"


def differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> Pairs:
    """Return the values that differ between two nested mappings, by dotted path."""
    return differing_values(flat_params(dict(first)), flat_params(dict(second)))


def differing_values(first: Mapping[str, str], second: Mapping[str, str]) -> Pairs:
    """Return the values that differ by name: in the order of `first`, then of `second`."""
    pairs = {name: (first.get(name), second.get(name)) for name in {**first, **second}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def differing_here(record: RunRecord) -> Pairs | None:
    """Return what differs between the recorded environment and this one; None if none is recorded.

    The number of threads counts as equal, because `recorded_threads` sets it. The operating
    system's name is ignored, because every update changes it.
    """
    if record.environment is None:
        return None
    here = environment(record.params)
    here["threads"][_THREADS] = record.environment.get("threads", {}).get(_THREADS)
    pairs = differing(record.environment, here)
    told = {name: pair for name, pair in pairs.items() if name != "platform"}
    return told | _differing_nodes(record.nodes or {}, here)


def _differing_nodes(nodes: Mapping[str, Any], here: Mapping[str, Any]) -> Pairs:
    """Return the processors of items that ran on cluster nodes of another kind than this machine.

    A node tells its GPU without the driver.
    """
    pairs: Pairs = {}
    for item, node in nodes.items():
        kind = "gpu" if node.get("gpu") else "cpu"
        if not str(here[kind]).startswith(str(node.get(kind))):
            pairs[f"{kind} of {item}, on {node.get('host')}"] = (str(node.get(kind)), here[kind])
    return pairs


def recorded_threads(record: RunRecord) -> dict[str, str]:
    """Return this process's environment variables, with the recorded number of threads."""
    variables = dict(os.environ)
    if record.environment is None:
        return variables
    variables.pop(_THREADS, None)
    threads = record.environment.get("threads", {}).get(_THREADS)
    return variables | ({_THREADS: threads} if threads else {})
