from pathlib import Path

import pytest

from saltseg.crops.crop_set import load_array, load_table
from saltseg.plumbing.errors import InputError


@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY", b"no array"])
def test_an_array_that_cannot_be_opened_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "images.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"images\.npy: cannot be opened \(.*\); run dvc repro"):
        load_array(path)


@pytest.mark.parametrize("content", [None, b"", b"no table"])
def test_a_table_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "crops.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"crops\.parquet: cannot be read \(.*\); run dvc repro"):
        load_table(path)
