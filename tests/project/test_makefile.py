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
