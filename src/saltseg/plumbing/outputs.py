"""Files that a person has written where he says: what is there already is not lost.

A list beside them, OUTPUTS, keeps the hash of each file that was made. By it `--force` tells its
own earlier outputs, which it replaces, from all else.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import hash_file

OUTPUTS = ".saltseg-outputs"
"""The name of the list."""


@dataclass(frozen=True)
class Outputs:
    """Files on their way to a folder."""

    folder: Path
    """Where they belong."""
    staging: Path
    """Where they are written first; it lies in `folder`, and goes at the end."""

    def place(self, *names: str) -> None:
        """Move files or folders from `staging` to their place; own earlier ones there are lost.

        A folder replaces the whole of its predecessor, so that no file of that stays in it.
        """
        for name in names:
            made = _files(self.staging / name)
            new = {path.relative_to(self.staging).as_posix() for path in made}
            for old in _files(self.folder / name):
                if old.relative_to(self.folder).as_posix() not in new:
                    old.unlink()
            for path in made:
                self._place(path)

    def _place(self, made: Path) -> None:
        """Note a file before it is in its place: a kill between the two leaves no stranger."""
        name = made.relative_to(self.staging)
        with (self.folder / OUTPUTS).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{hash_file(made)}  {name.as_posix()}\n")
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        made.replace(self.folder / name)


@contextmanager
def protected_outputs(folder: Path, names: Sequence[str], force: bool) -> Iterator[Outputs]:
    """Yield a place for files or folders called `names` in `folder`, which is made if need be.

    Raises InputError where `check_outputs` does, and where nothing can be written there.
    """
    check_outputs(folder, names, (), force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = tempfile.mkdtemp(prefix=".saltseg-", dir=folder)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written into: {error.strerror}; give another folder"
        ) from error
    try:
        yield Outputs(folder, Path(staging))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def place_folder(made: Path, target: Path) -> None:
    """Move a whole folder to its place in one step; what an earlier call made there is lost.

    Its files are noted in the list beside it. Raises OSError where the two are on different disks.
    """
    folder = target.parent
    lines = [
        f"{hash_file(path)}  {(target.name / path.relative_to(made)).as_posix()}\n"
        for path in _files(made)
    ]
    shutil.rmtree(target, ignore_errors=True)
    with (folder / OUTPUTS).open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    made.replace(target)


def check_outputs(folder: Path, names: Sequence[str], inputs: Sequence[Path], force: bool) -> None:
    """Raise InputError where writing `names` into `folder` would lose a file; before any work.

    names: of files, and of folders with all that they hold. inputs: what is read, and never
    replaced. force: replace what an earlier call made and nobody has changed since.
    """
    there = [path for name in names for path in _files(folder / name)]
    read = [str(path) for path in there if any(_same(path, each) for each in inputs)]
    if read:
        raise InputError(f"{first_few(read)}: to be read and replaced at once; give another folder")
    own = _made(folder)
    foreign = [str(path) for path in there if not _is_own(path, folder, own)]
    if foreign:
        raise InputError(
            f"{first_few(foreign)}: there already, and not as saltseg made it; give another place,"
            " or move it away"
        )
    if there and not force:
        raise InputError(
            f"{first_few([str(path) for path in there])}: there already, from an earlier call;"
            " replace it with --force, or give another place"
        )


def _files(path: Path) -> list[Path]:
    """Return a file, or all files below a folder; a link is a file, wherever it leads."""
    if path.is_symlink() or not path.is_dir():
        return [path] if os.path.lexists(path) else []
    return [file for each in sorted(path.iterdir()) for file in _files(each)]


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return path.absolute() == other.absolute()


def _made(folder: Path) -> dict[str, str]:
    """Return the hash of each file that the list names; the last line of a name holds."""
    try:
        lines = (folder / OUTPUTS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = [line.split("  ", 1) for line in lines if "  " in line]
    return {name: digest for digest, name in pairs}


def _is_own(path: Path, folder: Path, own: dict[str, str]) -> bool:
    known = own.get(path.relative_to(folder).as_posix())
    return (
        known is not None and path.is_file() and not path.is_symlink() and known == hash_file(path)
    )
