"""Exporting a trained pipeline as one folder; see model_folder for its layout."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from saltseg.config.params import Params, load_params, parse_params
from saltseg.config.yaml_content import read_yaml
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import read_json, visible, write_json, write_text
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.modules import PACKAGE
from saltseg.project.lineage import code_digest
from saltseg.project.model_folder import MANIFEST, SETTINGS
from saltseg.project.trained_models import check_models
from saltseg.seismic.learned_crops import as_json, describe_crops
from saltseg.selection.greedy_weights import chosen_params
from saltseg.selection.sizes import ChosenSizes
from saltseg.selection.thresholds import Thresholds


def export_model(layout: Layout, folder: Path) -> None:
    """Export the model of the pipeline that ran in `layout.root` to a new `folder`.

    Snapshots are hard-linked where the file system allows it, which costs no space or time.
    Raises InputError if the snapshots of a member and fold or a stage's output are missing, or if
    a snapshot differs from dvc.lock.
    """
    params = load_params(layout.params)
    if params.snapshot_ensemble.outside:
        raise InputError(
            "snapshot_ensemble.outside: a model cannot hold members from outside, which predict no"
            " new crops; run without them to have a model"
        )
    check_models(layout, params)
    written = _model_params(layout, params)
    settings, manifest = model_settings(layout), read_json(layout.data("submit") / MANIFEST)
    model = Layout(folder / "model")
    for source in _snapshots(layout, parse_params(written, str(layout.params))):
        target = model.root / source.relative_to(layout.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source.resolve(), target)
    if params.snapshot_ensemble.greedy_weights:
        write_text(model.params, yaml.safe_dump(written, sort_keys=False))
    else:
        shutil.copyfile(layout.params, model.params)
    ignored = shutil.ignore_patterns("__pycache__", ".*", "*.safetensors")
    shutil.copytree(PACKAGE, folder / "code" / PACKAGE.name, ignore=ignored)
    write_json(model.root / SETTINGS, settings)
    write_json(model.root / MANIFEST, manifest)


def model_settings(layout: Layout) -> dict[str, object]:
    """Return what prediction needs besides the networks: the chosen threshold and sizes."""
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


def _model_params(layout: Layout, params: Params) -> dict[str, Any]:
    """Return the content of params.yaml, with weights that were chosen in place of their choice.

    A member that got no weight is none of the model's.
    """
    content: Any = read_yaml(layout.params)
    if params.snapshot_ensemble.greedy_weights:
        chosen = chosen_params(layout, params).snapshot_ensemble.member_weights
        weights = {member: weight for member, weight in chosen.items() if weight}
        settings = {"greedy_weights": False, "member_weights": weights}
        content["snapshot_ensemble"] |= settings
        content["train_per_fold"] |= {"members": [*weights]}
    return dict(content)


def _snapshots(layout: Layout, params: Params) -> list[Path]:
    settings = params.train_per_fold
    folders = [layout.model(m, fold) for m in settings.members for fold in settings.predicting]
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
