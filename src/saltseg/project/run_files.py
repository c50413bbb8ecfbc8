"""The files of a run and the facts of its environment, from which it can be reproduced."""

import importlib.util
import json
import os
import platform
import runpy
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import visible
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.machine import cpu_model, cpus
from saltseg.project import dvc_lock
from saltseg.project.git import git

Files = dict[str, bytes]
"""Contents by path relative to the project, byte for byte."""

NAMES = ("params.yaml", "dvc.yaml", "dvc.lock", "requirements.lock")
RESULTS = Layout(Path()).results.as_posix()


def is_recorded(name: str) -> bool:
    """Tell whether a run records the file with this path relative to the project."""
    return name in NAMES or is_result(name)


def is_result(name: str) -> bool:
    """Tell whether it is a stage's result."""
    return name.startswith(f"{RESULTS}/") and name.endswith(".json")


def files_of_folder(root: Path) -> Files:
    """Read the current parameters, pipeline, locks and results of a checkout."""
    paths = [root / name for name in NAMES] + visible(Layout(root).results, "*.json")
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()
    }


def files_of_commit(repository: Path, revision: str) -> Files:
    """Read the same files from a commit, such as that of a DVC experiment, and from DVC's cache.

    The cache keeps the results that git does not; `uncached_results` names those it has lost.
    Raises InputError if git fails: a file that could not be read must not look missing.
    """
    listed = git(repository, "ls-tree", "-r", "-z", "--name-only", revision, "--", *NAMES, RESULTS)
    names = [name for name in listed.decode().split("\0") if name]
    kept = filter(is_recorded, names)
    held = {name: git(repository, "show", f"{revision}:./{name}") for name in kept}
    return held | _cached(repository, _results_outside(held))


def uncached_results(files: Files) -> list[str]:
    """Name the results that a run's dvc.lock lists and `files` lack: DVC's cache lost them."""
    return sorted(_results_outside(files))


def _results_outside(files: Files) -> dict[str, str]:
    """Return the hashes of the results that dvc.lock lists and `files` do not hold."""
    outputs = dvc_lock.hashes(dvc_lock.read(files.get("dvc.lock", b"")), "outs")
    return {name: md5 for name, md5 in outputs.items() if is_result(name) and name not in files}


def _cached(repository: Path, wanted: dict[str, str]) -> Files:
    """Read files from DVC's cache by their hashes; those that it does not have are left out."""
    if not wanted:
        return {}
    from dvc.repo import Repo  # slow to import, and rarely needed

    with Repo(str(repository)) as repo:
        paths = {name: Path(repo.cache.local.oid_to_path(md5)) for name, md5 in wanted.items()}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def files_of_run(root: Path, main: Path, revision: str) -> Files:
    """Read them after a run, from the experiment's commit if its temporary folder is gone."""
    if revision:
        with suppress(InputError):  # fall back to the files on disk, so that the run still ends
            return files_of_commit(main, revision)
    return files_of_folder(root)


def results_in(files: Files) -> dict[str, Any]:
    """Return the stages' results by "STAGE" or "STAGE/PART/PART"."""
    start, end = f"{RESULTS}/", ".json"
    return {
        name.removeprefix(start).removesuffix(end): json.loads(content)
        for name, content in files.items()
        if name.startswith(start)
    }


def environment(params: dict[str, Any]) -> dict[str, Any]:
    """Return what else determines a result's bytes: machine, threads and libraries."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "accelerator": params["runtime"]["accelerator"],
        "gpu": _gpu(),
        "threads": {"cpus": cpus(), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")},
        "torch": _torch(),
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    """Return the versions of the packages; one that pip half removed has no name."""
    found = []
    for each in distributions():
        # If importlib_metadata is loaded, its finder raises this instead of returning None.
        with suppress(FileNotFoundError):
            if each.name:
                found.append((each.name.lower(), each.version))
    return dict(sorted(found))


def _torch() -> dict[str, str | None]:
    """Return torch's build, read from its version file: importing torch takes seconds."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return {}
    build = runpy.run_path(str(Path(spec.origin).with_name("version.py")))
    return {
        "version": str(build["__version__"]),
        "git": build["git_version"],
        "cuda": build["cuda"],
    }


def _gpu() -> str:
    """Return GPU and driver as nvidia-smi reports them; "" without one."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    command = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
