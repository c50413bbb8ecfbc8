"""Where Kaggle's files lie: in folders, in zips, or in zips within one zip; or in all of these.

A zip is searched like a folder of its name, so that `train.zip` and `train/` are the same. Where a
file is there both unpacked and zipped, the one that is more unpacked is taken.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import check_regular
from saltseg.plumbing.zips import MOST, MOST_ZIPPED, entries, is_hidden, open_zip

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
    """List the files of `folder` that are in no zip.

    Raises InputError where it is no folder, or holds a link to one, or a pipe or device.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"{folder}: is a file, and ingest.raw_dir names a folder; put the file, zipped as it"
            " is, into a folder of its own, and name that"
        )
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
        what = what if folder.exists() else "there is no such folder"
        raise InputError(f"{folder}: {what}; {how_to_download(folder)}")


def how_to_download(folder: Path) -> str:
    """Say how to get Kaggle's files into `folder`."""
    return (
        f"accept the rules on https://www.kaggle.com/competitions/{COMPETITION}/rules, then run: "
        f"kaggle competitions download -c {COMPETITION} -p {folder}"
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder`, relative to it, hidden ones left out.

    Raises InputError for a link to a folder, and for what is no file, such as a pipe.
    """
    for parent, folders, names in os.walk(folder):
        for name in folders:
            _refuse_link(folder, Path(parent, name))
        for name in names:
            file = Path(parent, name)
            place = file.relative_to(folder)
            if not is_hidden(place):
                check_regular(file, MOST_ZIPPED if _is_zip(place) else MOST)
                yield place


def _refuse_link(folder: Path, below: Path) -> None:
    """Raise InputError if `below`, a folder within `folder`, is a link.

    DVC and dvc_lock.folder_hash hash nothing behind it: its files could change unseen.
    """
    if below.is_symlink() and not is_hidden(below.relative_to(folder)):
        raise InputError(
            f"{below}: is a link to a folder, in which DVC sees no change; put the folder itself"
            " there, or name the one that holds all of the data as ingest.raw_dir"
        )


def _unzipped(file: RawFile) -> Iterator[RawFile]:
    """Yield the files in a zip, none if `file` is no zip by its name."""
    if not _is_zip(file.within):
        return
    # A zip on disk is read entry by entry, one in another zip is taken into memory.
    archive = open_zip(file.path if file.path.is_file() else _content(file), file.path)
    for entry in entries(archive, file.path):
        yield RawFile(file.path / entry.place, file.within / entry.place, entry.read)


def _content(file: RawFile) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise InputError(f"{file.path}: cannot be opened ({error}); download it again") from error


def _is_zip(place: Path | PurePosixPath) -> bool:
    return place.suffix.lower() == ".zip"


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
