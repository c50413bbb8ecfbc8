"""Where Kaggle's files lie: in folders, in zips, or in zips within one zip; or in all of these.

A zip is searched like a folder of its name, so that `train.zip` and `train/` are the same. Where a
file is there both unpacked and zipped, the one that is more unpacked is taken.
"""

import io
import os
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from saltseg.plumbing.errors import InputError

TABLES = ("train.csv", "depths.csv", "sample_submission.csv")
"""The three tables, by file name."""

PICTURES = ("train/images", "train/masks", "test/images")
"""The three collections of PNGs, by split and kind."""

COMPETITION = "tgs-salt-identification-challenge"
"""Name of the competition in Kaggle's addresses and commands."""


@dataclass(frozen=True)
class RawFile:
    """One file, zipped or not.

    path: its place as a person would name it, with zips as if they were folders.
    within: the same below the raw folder.
    read: returns its content. Raises OSError.
    """

    path: Path
    within: PurePosixPath
    read: Callable[[], bytes]

    @property
    def id(self) -> str:
        """The crop that a PNG belongs to: its name without the ending."""
        return self.within.stem


Levels = list[list[RawFile]]
"""The files in no zip, those in a zip, those in a zip within a zip: opened when asked for."""


def open_folder(folder: Path) -> Levels:
    """List the files of `folder` that are in no zip."""
    files = [folder / place for place in _walk(folder)]
    return [
        [
            RawFile(file, PurePosixPath(file.relative_to(folder).as_posix()), file.read_bytes)
            for file in files
        ]
    ]


def find(
    levels: Levels, roles: Collection[str], test_ids: Container[str] = ()
) -> dict[str, list[RawFile]]:
    """Return the files of each role from the least zipped level that has any, opening zips for it.

    An image in a folder that is neither of train nor of test (what `unzip train.zip test.zip`
    leaves) belongs to the split that `test_ids` gives it.
    """
    found: dict[str, list[RawFile]] = {}
    for depth in range(3):
        if depth == len(levels):
            levels.append([entry for file in levels[-1] for entry in _unzipped(file)])
        here = defaultdict(list)
        for file in levels[depth]:
            here[_role(file, test_ids)].append(file)
        found = {role: here[role] for role in roles if role in here} | found
        if len(found) == len(roles):
            break
    return found


def require_all(folder: Path, found: Mapping[str, object]) -> None:
    """Raise InputError, with the command that fills `folder`, if a table or pictures miss."""
    pictures = {role: f"{role} (of {role.partition('/')[0]}.zip)" for role in PICTURES}
    named = {role: role for role in TABLES} | pictures
    missing = [name for role, name in named.items() if role not in found]
    if missing:
        what = f"lacks {', '.join(missing)}" if found else "holds none of Kaggle's files"
        raise InputError(f"{folder}: {what}; {how_to_download(folder)}")


def how_to_download(folder: Path) -> str:
    """Say how to get Kaggle's files into `folder`."""
    return (
        f"accept the rules on https://www.kaggle.com/competitions/{COMPETITION}/rules, then run: "
        f"kaggle competitions download -c {COMPETITION} -p {folder}"
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder`, relative to it, hidden ones left out.

    Raises InputError for a link to a folder.
    """
    for parent, folders, names in os.walk(folder):
        for name in folders:
            _refuse_link(folder, Path(parent, name))
        for name in names:
            place = Path(parent, name).relative_to(folder)
            if not _is_hidden(place):
                yield place


def _refuse_link(folder: Path, below: Path) -> None:
    """Raise InputError if `below`, a folder within `folder`, is a link.

    DVC and dvc_lock.folder_hash hash nothing behind it: its files could change unseen.
    """
    if below.is_symlink() and not _is_hidden(below.relative_to(folder)):
        raise InputError(
            f"{below}: is a link to a folder, in which DVC sees no change; put the folder itself"
            " there, or name the one that holds all of the data as ingest.raw_dir"
        )


def _unzipped(file: RawFile) -> Iterator[RawFile]:
    """Yield the files in a zip, none if `file` is no zip by its name."""
    if file.within.suffix.lower() != ".zip":
        return
    try:
        # A zip on disk is read entry by entry, one in another zip is taken into memory.
        on_disk = file.path.is_file()
        archive = zipfile.ZipFile(file.path if on_disk else io.BytesIO(file.read()))
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{file.path}: cannot be opened ({error}); download it again") from error
    for entry in archive.infolist():
        if not entry.is_dir() and not _is_hidden(PurePosixPath(entry.filename)):
            yield RawFile(
                file.path / entry.filename, file.within / entry.filename, _reader(archive, entry)
            )


def _reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return archive.read(entry)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            # RuntimeError is what zipfile raises for a password or an unknown compression.
            raise OSError(str(error)) from error

    return read


def _is_hidden(place: Path | PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in place.parts)


def _role(file: RawFile, test_ids: Container[str]) -> str:
    """Return which of TABLES or PICTURES a file belongs to, or "" for none."""
    if file.within.name in TABLES:
        return file.within.name
    folders = [part.removesuffix(".zip") for part in file.within.parts[:-1]]
    if file.within.suffix.lower() != ".png" or not folders:
        return ""
    splits = [part for part in folders if part in ("train", "test")]
    split = splits[-1] if splits else "test" if file.id in test_ids else "train"
    return f"{split}/{folders[-1]}"
