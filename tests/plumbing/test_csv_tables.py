"""Tables as people hand them in: plain, compressed, damaged."""

import gzip
import os
import zipfile
from pathlib import Path

import pytest

from saltseg.plumbing import csv_tables
from saltseg.plumbing.csv_tables import read_csv
from saltseg.plumbing.errors import InputError

TEXT = b"id,rle_mask\na1,1 1\nb2,\n"


def saved(folder: Path, name: str, content: bytes = TEXT) -> Path:
    """Write a table compressed as `name` says."""
    path = folder / name
    if name.endswith(".gz"):
        content = gzip.compress(content)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("submission.csv", content)
    else:
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.zip", "a.csv.zip", "A.CSV.GZ"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_one_table_in_every_form(tmp_path: Path, name: str, mark: bytes, newline: bytes) -> None:
    content = mark + TEXT.replace(b"\n", newline)
    table = read_csv(saved(tmp_path, name.lower(), content).rename(tmp_path / name))
    assert table.header == ["id", "rle_mask"]
    assert table.rows == [["a1", "1 1"], ["b2", ""]] and table.lines == [2, 3]


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("a.csv.gz", "a.csv", "is gzip by its content; rename it to a.csv.gz"),
        ("a.zip", "a.csv", "is a zip by its content; rename it to a.csv.zip"),
        ("a.csv", "a.csv.gz", "is not compressed by its content; rename it to a.csv$"),
        ("a.csv.gz", "a.csv.zip", "is gzip by its content; rename it to a.csv.gz"),
    ],
)
def test_a_name_that_says_another_form(tmp_path: Path, name: str, other: str, said: str) -> None:
    path = saved(tmp_path, name).rename(tmp_path / other)
    with pytest.raises(InputError, match=said):
        read_csv(path)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.zip"])
def test_a_cut_file(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, name)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"cannot be (unpacked|opened)"):
        read_csv(path)


def test_a_zip_of_more_than_one_table(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._submission.csv", b"litter")
    assert len(read_csv(path).rows) == 2
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.csv", TEXT)
    with pytest.raises(InputError, match=r"holds 2 files \(submission\.csv, other\.csv\); zip one"):
        read_csv(path)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.zip"])
def test_bombs_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_tables, "MOST", 1 << 16)  # what unpacks to 256 MiB takes a second
    path = saved(tmp_path, name, b"id,rle_mask\n" + b"a" * (2 << 20))
    with pytest.raises(InputError, match=r"more than the|more than 65,536|times its"):
        read_csv(path)


def test_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name, said in [
        ("pipe.csv", "not a regular file"),
        ("folder.csv", "is a directory"),
        ("gone.csv", "there is no such file"),
    ]:
        with pytest.raises(InputError, match=said):
            read_csv(tmp_path / name)
