"""A trained pipeline as one folder: all that is needed to predict as it does, its code included.

FOLDER/model/params.yaml, model.json, models/MEMBER/FOLD/snapshot_N.safetensors
FOLDER/code/saltseg/...
"""

import os
import shutil
from pathlib import Path
from typing import Any

from saltseg.config.params import load_params
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import read_json, visible, write_json
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.modules import PACKAGE
from saltseg.project.lineage import code_digest
from saltseg.project.trained_models import check_models
from saltseg.seismic.learned_crops import as_json, describe_crops

SETTINGS = "model.json"
MANIFEST = "manifest.json"


def export_model(layout: Layout, folder: Path) -> None:
    """Gather the model of the pipeline that has run below `layout.root` in a new `folder`.

    The snapshots are linked where the file system can: they cost no space and no time.
    Raises InputError where those of a member and fold, or a stage's output, are not there, and
    where a snapshot is not what dvc.lock says.
    """
    check_models(layout, load_params(layout.params))
    settings, manifest = _settings(layout), read_json(layout.data("submit") / MANIFEST)
    model = Layout(folder / "model")
    for source in _snapshots(layout):
        target = model.root / source.relative_to(layout.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source.resolve(), target)
    shutil.copyfile(layout.params, model.params)
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(PACKAGE, folder / "code" / PACKAGE.name, ignore=ignored)
    write_json(model.root / SETTINGS, settings)
    write_json(model.root / MANIFEST, manifest)


def find_model(folder: Path) -> Path:
    """Return the folder with the model's settings in what `folder` holds: as exported or logged.

    Raises InputError where it holds no model.
    """
    candidates = [folder, folder / "model", folder / "data" / "model"]
    found = [each for each in candidates if (each / SETTINGS).is_file()]
    if not found:
        raise InputError(f"{folder}: holds no {SETTINGS}; name the folder of a model of saltseg")
    return found[0]


def read_settings(model: Path, *names: str) -> dict[str, Any]:
    """Return what the model's settings hold.

    model: as find_model returns it. Raises InputError where one of `names` is not among them.
    """
    settings = read_json(model / SETTINGS)
    missing = [name for name in names if name not in settings]
    if missing:
        raise InputError(f"{model / SETTINGS}: has no {first_few(missing)}; fetch the model anew")
    return settings


def own_code(model: Path) -> Path | None:
    """Return the folder with the model's own code, or None where that is the code running now.

    model: as find_model returns it. Raises InputError where the code is not there unchanged.
    """
    digest = read_settings(model, "code")["code"]
    if digest == code_digest():
        return None
    places = [model.parent / "code", model.parent.parent / "code"]
    for place in places:
        if code_digest(place / PACKAGE.name) == digest:
            return place
    raise InputError(
        f"{model}: was made by other code, which does not lie unchanged in {places[-1]}; fetch the"
        " model anew, or check out the code of its run"
    )


def _settings(layout: Layout) -> dict[str, object]:
    thresholds = read_json(layout.data("threshold-search") / "thresholds.json")
    sizes = read_json(layout.data("postprocess-connected-components") / "sizes.json")
    return {
        "threshold": thresholds["threshold"],
        "calibration": thresholds["calibration"],
        "salt_size": sizes["salt_size"],
        "hole_size": sizes["hole_size"],
        "code": code_digest(),
        "crops": _crops(layout),
    }


def _crops(layout: Layout) -> dict[str, object] | None:
    """Describe the crops that were learned from; None where they are not in the workspace."""
    images = layout.data("ingest") / "train_images.npy"
    return as_json(describe_crops(images).statistics) if images.exists() else None


def _snapshots(layout: Layout) -> list[Path]:
    settings = load_params(layout.params).train_per_fold
    folders = [layout.model(m, fold) for m in settings.members for fold in settings.folds]
    found = [visible(folder, "*.safetensors") for folder in folders]
    missing = [folder for folder, files in zip(folders, found, strict=True) if not files]
    if missing:
        raise InputError(f"{first_few(missing)}: no snapshots lie there; run 'dvc pull'")
    return [path for files in found for path in files]


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
