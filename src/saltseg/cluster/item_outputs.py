"""What an item made on a node, and how it is brought into the checkout that wants it.

Outputs in DVC's cache travel through its remote, by hash. Small ones that git keeps instead, such
as metrics, and the item's entry in dvc.lock are sent by the node itself.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import Stage
from dvc.stage.cache import RunCacheNotFoundError
from dvc.stage.loader import StageLoader
from dvc.utils.serialize import load_yaml

from saltseg.plumbing.errors import InputError, first_few, reason_of
from saltseg.plumbing.files import write_text

WAITS = (0.0, 5.0, 15.0, 60.0)
"""Seconds before each attempt to reach a remote: it may be gone for a while."""


def read_outputs(project: Path, item: str) -> dict[str, Any]:
    """Return an item's entry in dvc.lock and its outputs outside the cache, as JSON values."""
    with Repo(str(project)) as repo:
        files = {out.def_path: Path(out.fs_path) for out in _uncached(_stage(repo, item))}
        return {
            # Read as dvc reads it: to other readers of YAML, 2e-05 is a text.
            "entry": load_yaml(project / "dvc.lock")["stages"][item],
            "files": {name: path.read_text(encoding="utf-8") for name, path in files.items()},
        }


def restore_outputs(root: Path, item: str, made: Mapping[str, Any]) -> None:
    """Bring an item's outputs into the checkout `root`, and its entry into dvc.lock, as dvc would.

    DVC's run cache keeps them too, for whoever wants the same item again.

    made: what read_outputs returned on the node. Raises InputError if the remote lacks an output,
    and if the item ran with other inputs or parameters than are here.
    """
    with chdir(root), Repo() as repo:
        stage = _stage(repo, item)
        for out in _uncached(stage):
            write_text(Path(out.fs_path), made["files"][out.def_path])
        with repo.lock:
            StageLoader.fill_from_lock(stage, made["entry"])
            stage.dump(update_pipeline=False)
            stage.ignore_outs()
        _pull(repo, item)
        repo.stage_cache.save(stage)
    differing = changes(root, [item])
    if differing:
        raise InputError(
            f"it ran with other inputs than are here: {first_few(differing[item])}; leave the"
            " project alone while a cluster trains"
        )


def restored(root: Path, item: str) -> bool:
    """Bring an item from DVC's run cache, as `dvc repro` would; return whether it is there."""
    with chdir(root), Repo() as repo:
        stage = _stage(repo, item)
        with repo.lock:
            try:
                repo.stage_cache.restore(stage)
            except RunCacheNotFoundError:
                return False
            stage.save()
            stage.commit()
            stage.dump(update_pipeline=False)
            stage.ignore_outs()
    return True


def input_digest(root: Path, item: str) -> str:
    """Return a hash of an item's command, inputs and parameters, equal wherever these are."""
    with chdir(root), Repo() as repo:
        stage = _stage(repo, item)
        stage.save_deps()
        inputs = sorted((str(each), str(each.hash_info.value)) for each in stage.deps)
    return hashlib.sha256(json.dumps([stage.cmd, inputs]).encode()).hexdigest()


def changes(root: Path, items: list[str]) -> dict[str, list[str]]:
    """Return what differs from dvc.lock for each of `items` that has changed."""
    with chdir(root), Repo() as repo:
        found = repo.status(targets=items)
    return {item: [str(each) for each in told] for item, told in found.items()}


def _pull(repo: Repo, item: str) -> None:
    """Fetch and check out an item's outputs; a remote that is gone may come back."""
    for wait in WAITS:
        time.sleep(wait)
        try:
            repo.pull(targets=[item], force=True)
        except (DvcException, OSError) as error:
            reason = reason_of(error)
        else:
            return
    raise InputError(f"its outputs cannot be pulled: {reason}")


def _stage(repo: Repo, item: str) -> Stage:
    return next(each for each in repo.index.stages if getattr(each, "name", None) == item)


def _uncached(stage: Stage) -> list[Output]:
    return [out for out in stage.outs if not out.use_cache]
