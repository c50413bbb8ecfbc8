"""What a run's record holds of its surroundings."""

from importlib.metadata import version
from pathlib import Path

import pytest

from saltseg.project.run_files import environment, files_of_folder, results_in
from tests.conftest import shrunk_content


def test_a_package_that_was_left_half_removed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    packages = environment(shrunk_content())["packages"]
    assert packages["mlflow"] == version("mlflow") and "half" not in packages


def test_a_half_written_result_is_not_part_of_the_record(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results/ingest.json").write_text('{"crops": 3}')
    (tmp_path / "results/.ingest.4711.json").write_text('{"cro')
    assert results_in(files_of_folder(tmp_path)) == {"ingest": {"crops": 3}}
