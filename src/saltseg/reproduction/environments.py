"""What besides code and data decides a run's bytes: machine, threads, versions."""

import os
from collections.abc import Mapping
from typing import Any

from saltseg.plumbing.flat import flat_params
from saltseg.project.run_files import environment
from saltseg.reproduction.records import RunRecord

Pairs = dict[str, tuple[str | None, str | None]]
"""Two values by name; None on the side that has none."""

_THREADS = "OMP_NUM_THREADS"


def differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> Pairs:
    """Return by dotted path the values that differ between two nested mappings."""
    one, other = flat_params(dict(first)), flat_params(dict(second))
    names = [*one, *(name for name in other if name not in one)]
    pairs = {name: (one.get(name), other.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def differing_here(record: RunRecord) -> Pairs | None:
    """Return what differs between the recorded environment and this one; None where none is known.

    The number of threads is taken for the recorded one, to which `recorded_threads` sets it. Left
    out is the name of the operating system, whose every update changes it.
    """
    if record.environment is None:
        return None
    here = environment(record.params)
    here["threads"][_THREADS] = record.environment.get("threads", {}).get(_THREADS)
    pairs = differing(record.environment, here)
    return {name: pair for name, pair in pairs.items() if name != "platform"}


def recorded_threads(record: RunRecord) -> dict[str, str]:
    """Return this process's variables with the recorded number of threads in place of its own."""
    variables = dict(os.environ)
    if record.environment is None:
        return variables
    variables.pop(_THREADS, None)
    threads = record.environment.get("threads", {}).get(_THREADS)
    return variables | ({_THREADS: threads} if threads else {})
