"""A trained pipeline as one folder, with all that prediction needs, including the code.

FOLDER/model/params.yaml, model.json, models/MEMBER/FOLD/snapshot_N.safetensors
FOLDER/code/saltseg/...
"""

import os
import shutil
from dataclasses import asdict
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
from saltseg.selection.sizes import ChosenSizes
from saltseg.selection.thresholds import Thresholds

SETTINGS = "model.json"
MANIFEST = "manifest.json"


def export_model(layout: Layout, folder: Path) -> None:
    """Export the model of the pipeline that ran in `layout.root` to a new `folder`.

    Snapshots are hard-linked where the file system allows it, which costs no space or time.
    Raises InputError if the snapshots of a member and fold or a stage's output are missing, or if
    a snapshot differs from dvc.lock.
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
    """Return the folder with the model's settings, in an exported or a logged model.

    Raises InputError if `folder` holds no model.
    """
    candidates = [folder, folder / "model", folder / "data" / "model"]
    found = [each for each in candidates if (each / SETTINGS).is_file()]
    if not found:
        raise InputError(f"{folder}: holds no {SETTINGS}; give the folder of a saltseg model")
    return found[0]


def read_settings(model: Path, *names: str) -> dict[str, Any]:
    """Return the model's settings.

    model: as find_model returns it. Raises InputError if one of `names` is missing.
    """
    settings = read_json(model / SETTINGS)
    missing = [name for name in names if name not in settings]
    if missing:
        raise InputError(f"{model / SETTINGS}: has no {first_few(missing)}; fetch the model again")
    return settings


def own_code(model: Path) -> Path | None:
    """Return the folder with the model's code, or None if it equals the code that is running.

    model: as find_model returns it. Raises InputError if that code is missing or changed.
    """
    digest = read_settings(model, "code")["code"]
    if digest == code_digest():
        return None
    places = [model.parent / "code", model.parent.parent / "code"]
    for place in places:
        if code_digest(place / PACKAGE.name) == digest:
            return place
    raise InputError(
        f"{model}: was made by other code, which is missing or changed in {places[-1]}; fetch the"
        " model again, or check out the code of its run"
    )


def _settings(layout: Layout) -> dict[str, object]:
    thresholds = Thresholds.load(layout.data("threshold-search"))
    sizes = ChosenSizes.load(layout.data("postprocess-connected-components")).overall
    return {
        "threshold": thresholds.overall,
        "calibration": asdict(thresholds.calibration),
        "salt_size": sizes[0],
        "hole_size": sizes[1],
        "code": code_digest(),
        "crops": _crops(layout),
    }


def _crops(layout: Layout) -> dict[str, object] | None:
    """Describe the training crops; None if they are not in the workspace."""
    images = layout.data("ingest") / "train_images.npy"
    return as_json(describe_crops(images).statistics) if images.exists() else None


def _snapshots(layout: Layout) -> list[Path]:
    settings = load_params(layout.params).train_per_fold
    folders = [layout.model(m, fold) for m in settings.members for fold in settings.folds]
    found = [visible(folder, "*.safetensors") for folder in folders]
    missing = [folder for folder, files in zip(folders, found, strict=True) if not files]
    if missing:
        raise InputError(f"{first_few(missing)}: snapshots are missing; run 'dvc pull'")
    return [path for files in found for path in files]


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)
