"""What a run's record holds of its surroundings."""

from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from saltseg.plumbing.files import hash_file
from saltseg.project.run_files import (
    environment,
    files_of_commit,
    files_of_folder,
    results_in,
    uncached_results,
)
from tests.conftest import shrunk_content
from tests.helpers.records import git

RESULT = "results/ingest.json"


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


def test_results_outside_git_come_from_dvc_s_cache_and_lost_ones_are_named(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    made.write_text('{"crops": 3}')
    md5 = hash_file(made)
    outs = [{"path": name, "hash": "md5", "md5": md5} for name in (RESULT, "data/other.json")]
    stages = {"ingest": {"cmd": "true", "outs": outs}}
    project = tmp_path / "project"
    (project / ".dvc").mkdir(parents=True)
    (project / ".dvc/config").touch()
    (project / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "A run")
    lost = files_of_commit(project, "HEAD")
    assert set(lost) == {"dvc.lock"} and uncached_results(lost) == [RESULT]
    cached = project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    cached.parent.mkdir(parents=True)
    made.rename(cached)
    found = files_of_commit(project, "HEAD")
    assert results_in(found) == {"ingest": {"crops": 3}} and uncached_results(found) == []
