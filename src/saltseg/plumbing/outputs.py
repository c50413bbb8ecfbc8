"""Writing outputs to a folder of the user's choice without destroying other files there.

A list in the folder, OUTPUTS, records the hash of each file that saltseg wrote. `--force` replaces
only files that match the list.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.scratch_folders import scratch_folder

OUTPUTS = ".saltseg-outputs"
"""The name of the list."""


@dataclass(frozen=True)
class Outputs:
    """Files on their way to a folder."""

    folder: Path
    """Their destination."""
    staging: Path
    """Temporary folder inside `folder` in which they are written first."""

    def place(self, *names: str) -> None:
        """Move files or folders from `staging` to `folder`, replacing saltseg's earlier ones.

        A folder is replaced as a whole: no file of the old one remains.
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
        """Move a file. It is listed first, so that a kill in between leaves no unlisted file."""
        name = made.relative_to(self.staging)
        with (self.folder / OUTPUTS).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{hash_file(made)}  {name.as_posix()}\n")
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        made.replace(self.folder / name)


@contextmanager
def protected_outputs(
    folder: Path, names: Sequence[str], force: bool, inputs: Sequence[Path] = ()
) -> Iterator[Outputs]:
    """Yield a staging area for files or folders called `names` in `folder`, creating `folder`.

    Raises InputError as `check_outputs` does, or if the folder is not writable.
    """
    check_outputs(folder, names, inputs, force)
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            staging = stack.enter_context(scratch_folder(".saltseg-", folder))
        except OSError as error:
            raise unwritable(folder, error) from error
        yield Outputs(folder, staging)


def unwritable(folder: Path, error: OSError) -> InputError:
    """Return the error that says why `folder` cannot be an output."""
    return InputError(f"{folder}: cannot be written to: {error.strerror}; choose another folder")


@contextmanager
def written_output(path: Path, inputs: Sequence[Path], force: bool) -> Iterator[Path]:
    """Yield where to write a single file that will be moved to `path`.

    Raises InputError as `check_outputs` does, or if the folder is not writable.
    """
    with protected_outputs(path.parent, [path.name], force, inputs) as outputs:
        yield outputs.staging / path.name
        outputs.place(path.name)


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
    """Raise InputError if writing `names` into `folder` would destroy a file; call it first.

    names: files, or folders with all their content. inputs: files to be read, never to be
    replaced. force: replace unchanged files of an earlier call.
    """
    there = [path for name in names for path in _files(folder / name)]
    read = [path for path in there if any(_same(path, each) for each in inputs)]
    if read:
        verb = "is" if len(read) == 1 else "are"
        raise InputError(f"{first_few(read)}: {verb} both input and output; choose another place")
    own = _made(folder)
    foreign = [path for path in there if not _is_own(path, folder, own)]
    if foreign:
        is_it = "exists, and is not as saltseg made it"
        are_they = "exist, and are not as saltseg made them"
        finding, them = (is_it, "it") if len(foreign) == 1 else (are_they, "them")
        raise InputError(
            f"{first_few(foreign)}: {finding}; choose another place, or move {them} away"
        )
    if there and not force:
        made = [folder / name for name in names if _files(folder / name)]
        verb, them = ("is", "it") if len(made) == 1 else ("are", "them")
        raise InputError(
            f"{first_few(made)}: {verb} there from an earlier call; replace {them} with --force, or"
            " choose another place"
        )


def _files(path: Path) -> list[Path]:
    """Return a file, or all files below a folder; links count as files and are not followed."""
    if path.is_symlink() or not path.is_dir():
        return [path] if os.path.lexists(path) else []
    return [file for each in sorted(path.iterdir()) for file in _files(each)]


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return path.absolute() == other.absolute()


def _made(folder: Path) -> dict[str, str]:
    """Return the hash of each listed file; the last line for a name counts."""
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
