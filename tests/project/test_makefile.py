"""make says what a folder lacks before it installs anything."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT


@pytest.mark.parametrize("target", ["install", "demo", "test", "subset"])
def test_a_downloaded_zip_is_told_of_before_the_install_begins(tmp_path: Path, target: str) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    done = subprocess.run(["make", target], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and not (tmp_path / ".venv").exists()
    assert "DVC needs a git repository, which 'Download ZIP' leaves out" in done.stdout


@pytest.mark.parametrize(
    ("variables", "left_out"),
    [
        (["GPU="], {"triton", "nvidia-cuda-cccl", "cuda-bindings", "cuda-pathfinder"}),
        (["GPU=/proc/driver/nvidia/version"], set()),
        (["GPU=/dev/dxg", "TORCH=cpu"], {"torch", "torchvision"}),
    ],
)
def test_what_a_machine_does_not_load_is_left_out(
    tmp_path: Path, variables: list[str], left_out: set[str]
) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    command = ["make", "--dry-run", ".venv/.ready", *variables]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    (hashed,) = (line for line in done.stdout.splitlines() if "--require-hashes" in line)
    excluded, _, install = hashed.partition(" > .venv/excluded.txt && ")
    assert set(excluded.removeprefix(r"printf '%s\n' ").split()) == left_out
    assert "--excludes .venv/excluded.txt" in install and "--extra dev" not in install
    takes_cpu_build = "--torch-backend cpu torch torchvision" in done.stdout
    assert takes_cpu_build == ("TORCH=cpu" in variables)
    assert ("--exact" in install) != takes_cpu_build
