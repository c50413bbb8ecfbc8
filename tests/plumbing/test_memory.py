"""Freed memory stays for what comes next, where the C library is glibc."""

import os
import platform
import resource
import subprocess
import sys

import pytest

from saltseg.config.params import Params
from saltseg.plumbing.memory import KEPT, MMAP_MAX

FAULTS = """
import resource
import {package}
{set_up}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({rounds}):
    [{package}.ones({size}, dtype={package}.uint8) for _ in range({total} // {size})]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
ROUNDS, TOTAL = 20, 160 << 20
"""A round is more than the 64 MB that glibc may keep by itself."""
LARGE, SMALL = 40 << 20, 2 << 20
"""By itself glibc maps every block of over 32 MB again; of smaller ones it may keep some."""
KEPT_SHARE = 0.5
"""The first round of twenty needs new memory, and alignment may ask for another place."""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's memory")


def faults(package: str, set_up: str = "", size: int = LARGE) -> int:
    """Return how many pages the system filled with zeros to make blocks of `size` in each round."""
    code = FAULTS.format(package=package, set_up=set_up, rounds=ROUNDS, total=TOTAL, size=size)
    untuned = {key: value for key, value in os.environ.items() if key != "GLIBC_TUNABLES"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=untuned, capture_output=True, check=True)
    return int(done.stdout)


def plain_faults(package: str) -> int:
    """Return the same of a process that keeps nothing; skip the test where nobody counts them."""
    found = faults(package)
    if found < ROUNDS:
        pytest.skip("this system counts no page faults")
    return found


def test_devices_keep_the_memory_of_tensors(shrunk_params: Params) -> None:
    set_up = f"""
from saltseg.models.devices import create_fabric
from saltseg.config.sections import Runtime
create_fabric(Runtime(**{shrunk_params.runtime.model_dump()}))
"""
    assert faults("torch", set_up) < KEPT_SHARE * plain_faults("torch")


def test_workers_keep_the_memory_of_sections() -> None:
    set_up = "from saltseg.survey.workers import set_up_worker; set_up_worker()"
    assert faults("numpy", set_up) < KEPT_SHARE * plain_faults("numpy")


def test_a_library_that_refuses_large_blocks_keeps_small_ones() -> None:
    refusing = f"""
import ctypes
from saltseg.plumbing.memory import keep_freed_memory
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
    pages = ROUNDS * TOTAL // resource.getpagesize()
    assert faults("numpy", refusing, SMALL) < KEPT_SHARE * pages
