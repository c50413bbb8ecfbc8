import os

import pytest

from saltseg.plumbing.machine import cpus


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="macOS binds no process to CPUs")
def test_only_cpus_that_this_process_may_use_count() -> None:
    allowed = os.sched_getaffinity(0)
    assert cpus() == len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cpus() == 1
    finally:
        os.sched_setaffinity(0, allowed)
