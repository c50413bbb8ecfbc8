"""Git as a subprocess, shielded from the caller's environment variables and configuration."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from saltseg.plumbing.errors import InputError

_PATIENCE = 600
"""Seconds that git may take, so that a pipeline's recorder never hangs with it."""

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
"""A `git diff` command whose output `git apply` accepts, whatever the user's configuration."""

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
"""Overrides of settings that would change bytes, fail a command or run a user's program."""

_ASTRAY = {
    # From `git rev-parse --local-env-vars`: git exports these to hooks.
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
    # Others that change where git looks, what a path means or what a diff shows.
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
"""What git and dvc print outside a repository."""


class GitError(InputError):
    """Git failed; the message gives its reason."""

    def __init__(self, message: str, code: int) -> None:
        """Keep git's exit code."""
        super().__init__(message)
        self.code = code


def environment_of_children(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` without those that would point git to the caller's repository.

    Git sets these in hooks: with GIT_DIR and GIT_INDEX_FILE, git in a clone would act on the
    repository being committed to. Trusted folders (GIT_CONFIG_COUNT in some containers) are kept.
    """
    kept = {name: value for name, value in variables.items() if not _leads_astray(name)}
    trusted = _trusted_folders(variables)
    if trusted:
        kept["GIT_CONFIG_COUNT"] = str(len(trusted))
    for number, folder in enumerate(trusted):
        kept |= {f"GIT_CONFIG_KEY_{number}": _TRUST, f"GIT_CONFIG_VALUE_{number}": folder}
    return kept


def leave_callers_repository(variables: MutableMapping[str, str]) -> None:
    """Remove the same variables from `variables`, this process's own: dvc may run inside it."""
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
    """Return git's standard output, run in `root` regardless of the user's settings.

    environment: variables for git in addition to this process's.
    Raises GitError, an InputError, with git's reason if it fails.
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
        raise InputError(f"git: cannot be run ({error.strerror}); install git") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"git {arguments[0]}: took more than {_PATIENCE} s in {root}; find out"
            " what keeps the disk busy, and try again"
        ) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise GitError(_explained(root, arguments[0], said), done.returncode)
    return done.stdout


def find_commit(root: Path, revision: str) -> str | None:
    """Return the hash of the commit that `revision` names, or None.

    Raises InputError if git cannot be asked, as in another user's folder.
    """
    named = ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        return git(root, *named).decode().strip()
    except GitError:
        git(root, "rev-parse", "--git-dir")  # fails if git refuses to work here at all
        return None


def no_repository(root: Path) -> str:
    """Return a message that `root` is not a clone, with the remedy."""
    return (
        f"{root.resolve()}: is not a git repository ('Download ZIP' makes none); clone the project,"
        " or run 'git init', 'git add --all' and 'git commit' there"
    )


def why_unknown(root: Path) -> str | None:
    """Return git's reason if it cannot tell the commit of the code in `root`, else None."""
    try:
        commit = find_commit(root, "HEAD")
    except InputError as error:
        return str(error)
    return None if commit else f"{root.resolve()}: has no commit yet; make one with 'git commit'"


@contextmanager
def scratch_index(root: Path) -> Iterator[dict[str, str]]:
    """Yield environment variables that give git a temporary, empty index.

    New objects go into a temporary folder, so the repository does not change. Flags in the user's
    index, such as --assume-unchanged, have no effect.
    """
    with tempfile.TemporaryDirectory(prefix="saltseg-git-") as folder:
        variables = {
            "GIT_INDEX_FILE": str(Path(folder) / "index"),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(object_folder(root)),
        }
        yield variables


def object_folder(root: Path) -> Path:
    """Return the repository's object folder, which linked worktrees share."""
    said = git(root, "rev-parse", "--path-format=absolute", "--git-path", "objects")
    return Path(said.decode().removesuffix("\n"))


def top_folder(root: Path) -> tuple[Path, Path]:
    """Return the root of the working tree that contains `root`, and the path of `root` in it."""
    said = git(root, "rev-parse", "--show-toplevel", "--show-prefix").decode().split("\n")
    return Path(said[0]), Path(said[1])


def _quoted(path: Path) -> str:
    """Quote a path for a colon-separated list."""
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
    """Return an error message; if `root` is not a repository, the remedy too."""
    return no_repository(root) if NO_REPOSITORY in said else f"git {command}: {said}"
