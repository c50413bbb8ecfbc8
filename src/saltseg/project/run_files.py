"""The dossier of a run: the files and facts from which it can be reproduced."""

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
from saltseg.project.git import git

Files = dict[str, bytes]
"""Contents by path relative to the project, in exact bytes."""

NAMES = ("params.yaml", "dvc.yaml", "dvc.lock", "requirements.lock")
RESULTS = Layout(Path()).results.as_posix()


def files_of_folder(root: Path) -> Files:
    """Read a checkout's parameters, pipeline, locks and metrics as they are now."""
    paths = [root / name for name in NAMES] + visible(Layout(root).results, "*.json")
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()
    }


def files_of_commit(repository: Path, revision: str) -> Files:
    """Read the same from a commit, such as the one that DVC makes of an experiment.

    Raises InputError where git cannot: a record must not seem to lack what could not be read.
    """
    listed = git(repository, "ls-tree", "-r", "-z", "--name-only", revision, "--", *NAMES, RESULTS)
    names = [name for name in listed.decode().split("\0") if name]
    kept = [name for name in names if name in NAMES or name.endswith(".json")]
    return {name: git(repository, "show", f"{revision}:./{name}") for name in kept}


def files_of_run(root: Path, main: Path, revision: str) -> Files:
    """Read them after a run: the experiment's commit has them where its folder is gone."""
    if revision:
        with suppress(InputError):  # what lies there is better than a run without an end
            return files_of_commit(main, revision)
    return files_of_folder(root)


def results_in(files: Files) -> dict[str, Any]:
    """Return the stages' metrics by "STAGE" or "STAGE/PART/PART"."""
    start, end = f"{RESULTS}/", ".json"
    return {
        name.removeprefix(start).removesuffix(end): json.loads(content)
        for name, content in files.items()
        if name.startswith(start)
    }


def environment(params: dict[str, Any]) -> dict[str, Any]:
    """Return what else determines the bytes of a result: machine, threads and libraries."""
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
    """Return the versions of the packages; what pip left half-removed has no name."""
    found = []
    for each in distributions():
        # Where importlib_metadata is loaded, its finder raises this in place of returning None.
        with suppress(FileNotFoundError):
            if each.name:
                found.append((each.name.lower(), each.version))
    return dict(sorted(found))


def _torch() -> dict[str, str | None]:
    """Return torch's build from the file that it keeps it in: its import takes seconds."""
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
    """Return GPU and driver as NVIDIA's own tool names them; nothing where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    command = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
