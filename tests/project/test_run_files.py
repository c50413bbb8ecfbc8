"""What a run's record holds of its surroundings."""

from importlib.metadata import version
from pathlib import Path

import pytest

from saltseg.project.run_files import environment
from tests.conftest import shrunk_content


def test_a_package_that_was_left_half_removed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    packages = environment(shrunk_content())["packages"]
    assert packages["mlflow"] == version("mlflow") and "half" not in packages
