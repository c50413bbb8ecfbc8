"""Git, called as a process that neither the caller's variables nor his settings lead astray."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from saltseg.plumbing.errors import InputError

_PATIENCE = 600
"""Seconds that git may take; the recorder of a pipeline must not hang with it for ever."""

PATCH = (
    "diff",
    "--binary",
    "--full-index",
    "--unified=3",
    "--inter-hunk-context=0",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--no-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--ignore-submodules=none",
    "--submodule=short",
    "-O/dev/null",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
"""The start of a `git diff` whose output `git apply` takes, whatever the user configured."""

_SETTINGS = (
    "apply.ignoreWhitespace=no",
    "color.ui=false",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.compression=-1",
    "core.eol=lf",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=true",
    "core.safecrlf=false",
    "core.untrackedCache=false",
    "diff.suppressBlankEmpty=false",
    "log.showSignature=false",
)
"""Settings that would change bytes, stop a command or run a program of the user's."""

_ASTRAY = {
    # What `git rev-parse --local-env-vars` names: git exports it to hooks.
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
    # What else changes where git looks, what a path means or what a diff says.
    "GIT_ATTR_SOURCE",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_INDEX_VERSION",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_QUARANTINE_PATH",
    "GIT_TEMPLATE_DIR",
}
_ASTRAY_STARTS = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")


_TRUST = "safe.directory"

NO_REPOSITORY = "not a git repository"
"""What git, and dvc as well, say outside of one."""


class GitError(InputError):
    """Git refused; the message has its reason."""

    def __init__(self, message: str, code: int) -> None:
        """Keep git's exit code."""
        super().__init__(message)
        self.code = code


def environment_of_children(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` without those by which git would look at the caller's repository.

    A hook has them: GIT_DIR and GIT_INDEX_FILE would lead the git of a clone back to the commit
    that is being made. Trusted folders, which a container may name by GIT_CONFIG_COUNT, stay.
    """
    kept = {name: value for name, value in variables.items() if not _leads_astray(name)}
    trusted = _trusted_folders(variables)
    if trusted:
        kept["GIT_CONFIG_COUNT"] = str(len(trusted))
    for number, folder in enumerate(trusted):
        kept |= {f"GIT_CONFIG_KEY_{number}": _TRUST, f"GIT_CONFIG_VALUE_{number}": folder}
    return kept


def leave_callers_repository(variables: MutableMapping[str, str]) -> None:
    """Do the same to the variables of this process: dvc reads them within it."""
    kept = environment_of_children(variables)
    for name in filter(_leads_astray, list(variables)):
        del variables[name]
    variables.update(kept)


def git(
    root: Path,
    *arguments: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Return what git prints in `root`; its own settings decide nothing of it.

    environment: variables for git beside this process's own.
    Raises GitError, an InputError, with its reason where it fails.
    """
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    inherited = environment_of_children(os.environ) | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *settings, *arguments],
            input=stdin,
            env={**inherited, "LC_ALL": "C", **(environment or {})},
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except OSError as error:
        raise InputError(f"git: cannot be run ({error.strerror}); install it") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"git {arguments[0]}: took more than {_PATIENCE} s in {root}; see what keeps the disk"
        ) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise GitError(_explained(root, arguments[0], said), done.returncode)
    return done.stdout


def find_commit(root: Path, revision: str) -> str | None:
    """Return the hash of the commit that `revision` names; None where it names none.

    Raises InputError where git cannot be asked, as in the folder of another user.
    """
    named = ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        return git(root, *named).decode().strip()
    except GitError:
        git(root, "rev-parse", "--git-dir")  # fails where git refuses every question
        return None


def no_repository(root: Path) -> str:
    """Say that `root` is no clone, and what to do."""
    return (
        f"{root.resolve()}: is no git repository, as after 'Download ZIP'; clone the project,"
        " or call 'git init', 'git add --all' and 'git commit' there"
    )


def why_unknown(root: Path) -> str | None:
    """Return git's reason where it cannot tell a commit of the code in `root`; else None."""
    try:
        commit = find_commit(root, "HEAD")
    except InputError as error:
        return str(error)
    return None if commit else f"{root.resolve()}: has no commit yet; make one with 'git commit'"


@contextmanager
def scratch_index(root: Path) -> Iterator[dict[str, str]]:
    """Yield the variables by which git works with an index of its own, which is empty.

    New objects go into a folder that is then removed: nothing of the repository changes. Flags of
    the user's own index, such as --assume-unchanged, hide nothing here.
    """
    with tempfile.TemporaryDirectory(prefix="saltseg-git-") as folder:
        variables = {
            "GIT_INDEX_FILE": str(Path(folder) / "index"),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(object_folder(root)),
        }
        yield variables


def object_folder(root: Path) -> Path:
    """Return the folder of the repository's objects, which its linked worktrees share."""
    said = git(root, "rev-parse", "--path-format=absolute", "--git-path", "objects")
    return Path(said.decode().removesuffix("\n"))


def top_folder(root: Path) -> tuple[Path, Path]:
    """Return the working tree that holds `root`, and the path of `root` within it."""
    said = git(root, "rev-parse", "--show-toplevel", "--show-prefix").decode().split("\n")
    return Path(said[0]), Path(said[1])


def _quoted(path: Path) -> str:
    """Quote a path for a list that colons part."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _leads_astray(name: str) -> bool:
    return name in _ASTRAY or name.startswith(_ASTRAY_STARTS)


def _trusted_folders(variables: Mapping[str, str]) -> list[str]:
    count = variables.get("GIT_CONFIG_COUNT", "")
    numbers = range(int(count)) if count.isdecimal() else range(0)
    return [
        variables.get(f"GIT_CONFIG_VALUE_{number}", "")
        for number in numbers
        if variables.get(f"GIT_CONFIG_KEY_{number}", "").lower() == _TRUST
    ]


def _explained(root: Path, command: str, said: str) -> str:
    """Say what to do where git's reason does not: most often the folder is no clone."""
    return no_repository(root) if NO_REPOSITORY in said else f"git {command}: {said}"
