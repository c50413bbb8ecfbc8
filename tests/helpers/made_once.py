"""Folders that take long to make, made once for all processes of a test run."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first process that asks makes; tests must not change it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    finished = folder.with_suffix(".done")
    with FileLock(folder.with_suffix(".lock")):
        if not finished.exists():
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder
