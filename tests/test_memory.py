"""Freed memory stays for what comes next, where the C library is glibc."""

import platform
import subprocess
import sys

import pytest

from saltseg.memory import KEPT, MMAP_MAX
from saltseg.params import Params

FAULTS = """
import resource
import {package}
{set_up}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({rounds}):
    [{package}.ones({size}, dtype={package}.uint8) for _ in range({blocks})]
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize())
"""
ROUNDS, BLOCKS, SIZE = 20, 80, 2 << 20
ALL = ROUNDS * BLOCKS * SIZE
"""A round is more than the 64 MB that glibc may keep by itself."""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's memory")


def filled(package: str, set_up: str = "") -> int:
    """Return the bytes that the system filled with zeros, to make so many blocks in each round."""
    code = FAULTS.format(package=package, set_up=set_up, rounds=ROUNDS, blocks=BLOCKS, size=SIZE)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return int(done.stdout)


def test_devices_keep_the_memory_of_tensors(shrunk_params: Params) -> None:
    set_up = f"""
from saltseg.devices import create_fabric
from saltseg.params import Runtime
create_fabric(Runtime(**{shrunk_params.runtime.model_dump()}))
"""
    assert filled("torch") > 0.9 * ALL
    # The first round needs new memory, and alignment may ask for another place.
    assert filled("torch", set_up) < 0.2 * ALL


def test_workers_keep_the_memory_of_sections() -> None:
    set_up = "from saltseg.survey.workers import set_up_worker; set_up_worker()"
    assert filled("numpy") > 0.9 * ALL
    assert filled("numpy", set_up) < 0.2 * ALL


def test_a_library_that_refuses_large_blocks_keeps_small_ones() -> None:
    refusing = f"""
import ctypes
from saltseg.memory import keep_freed_memory
given = []
real = ctypes.CDLL(None).mallopt
class Library:
    def __init__(self, name):
        pass
    def mallopt(self, parameter, value):
        if value > {MMAP_MAX} and parameter == -3:
            return 0
        given.append((parameter, value))
        return real(parameter, value)
ctypes.CDLL = Library
keep_freed_memory()
assert given == [(-3, {MMAP_MAX}), (-1, {KEPT})], given
"""
    assert filled("numpy", refusing) < 0.2 * ALL
