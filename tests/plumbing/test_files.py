import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.plumbing import files
from saltseg.plumbing.errors import InputError


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    files.write_json(path, {"score": 1})
    with pytest.raises(ZeroDivisionError), files.whole_file(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert json.loads(path.read_text()) == {"score": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(InputError, match=r"score\.json: cannot be written: .*/results is a file"):
        files.write_json(tmp_path / "results" / "score.json", {})


def test_json_takes_numpy_numbers_and_no_nan(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"count": np.int64(3), "share": np.float32(0.5)})
    assert files.read_json(tmp_path / "a.json") == {"count": 3, "share": 0.5}
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "b.json", {"score": float("nan")})


def test_json_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json: cannot be read as JSON"):
        files.read_json(tmp_path / "a.json")


def test_files_are_the_same_bytes_when_written_twice(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["b", "a"], "score": [0.1, 1 / 3]})
    for name in ("one", "two"):
        files.write_table(tmp_path / f"{name}.parquet", table)
        files.write_csv(tmp_path / f"{name}.csv", table)
        files.write_array(tmp_path / f"{name}.npy", np.arange(6).reshape(2, 3).T)
    for kind in ("parquet", "csv", "npy"):
        hashes = {files.hash_file(tmp_path / f"{name}.{kind}") for name in ("one", "two")}
        assert len(hashes) == 1
    assert (tmp_path / "one.csv").read_bytes() == b"id,score\nb,0.100000\na,0.333333\n"


def test_only_leftovers_of_processes_that_are_gone_are_swept(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    kept = [f".x.{os.getpid()}.json", ".notes.json", "x.json", ".gitignore", ".x.old.json"]
    for name in [f".x.{ended.pid}.json", f".snapshot_0.{ended.pid}.safetensors", *kept]:
        (tmp_path / name).write_text("{")
    files.sweep_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    files.sweep_leftovers(tmp_path / "not there")


def test_hidden_files_are_not_read_as_results(tmp_path: Path) -> None:
    for name in ("a.json", ".b.1.json", "deep/c.json", ".hidden/d.json", "e.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{")
    assert files.visible(tmp_path, "*.json") == [tmp_path / "a.json", tmp_path / "deep/c.json"]
