"""Zips that others made, and bombs."""

import zipfile
from pathlib import Path

import pytest

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.zips import MOST, entries, open_zip


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def read(path: Path) -> dict[str, bytes]:
    with open_zip(path, path) as archive:
        return {str(entry.place): entry.read() for entry in entries(archive, path)}


def test_backslashes_part_folders(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"images/x": b"", "masks/x": b""})
    # zipfile itself writes only slashes.
    path.write_bytes(path.read_bytes().replace(b"s/x", b"s\\x"))
    assert read(path) == {"images/x": b"", "masks/x": b""}


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x.png", "a/../../x.png", "C:/x.png", "..\\x.png", "\\x.png", "c:x"]
)
def test_places_outside_are_refused(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "a.zip", {"images/a.png": b"", name: b""})
    with pytest.raises(InputError, match=r"a\.zip: contains .*, which leads outside the zip; make"):
        read(path)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("depths.csv", 3 << 20, "unpacks to 3,145,728 bytes, .* times its size in the zip"),
        ("images/a.png", 3 << 20, "unpacks to 3,145,728 bytes, .* times its size in the zip"),
        ("inner.zip", 3 << 20, "unpacks to 3,145,728 bytes, .* times its size in the zip"),
    ],
)
def test_bombs_are_refused_before_they_are_unpacked(
    tmp_path: Path, name: str, size: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "a.zip", {name: bytes(size)})
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # what unpacks
    with pytest.raises(InputError, match=rf"a\.zip: {name} {said}"):
        read(path)


def test_a_size_beyond_all_is_refused_however_well_it_unpacks(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"depths.csv": b"id,z\n"})
    with open_zip(path, path) as archive:
        archive.infolist()[0].file_size = MOST + 1
        archive.infolist()[0].compress_size = MOST
        with pytest.raises(InputError, match=r"depths\.csv unpacks to .* bytes, more than the"):
            entries(archive, path)


def test_an_entry_larger_than_it_says_is_damaged(tmp_path: Path) -> None:
    """Declared sizes bind: what unpacks to more is cut there, and its checksum is wrong."""
    path = packed(tmp_path / "a.zip", {"depths.csv": bytes(1 << 20)})
    sizes = (1 << 20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(sizes, (100).to_bytes(4, "little")))
    with pytest.raises(OSError, match="CRC"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"no zip"])
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    if content.startswith(b"PK\x05\x06"):  # an empty one
        assert read(tmp_path / "a.zip") == {}
    else:
        with pytest.raises(InputError, match=r"a\.zip: cannot be opened \(.*\); download it"):
            read(tmp_path / "a.zip")
