"""`gpu` on one fold, with as many epochs as the time allows: the pipeline's own stages."""

import json
import shutil
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import yaml

from benchmarks.gpu.networks import read_params, runtime, weights_file
from benchmarks.gpu.settings import Settings, read_rows
from benchmarks.side_by_side import ROOT
from saltseg.crops.crop_set import load_crops
from saltseg.plumbing.layout import Layout

STAGES = (
    "ingest",
    "coverage_stratify",
    "fold_split",
    "pseudolabel 0",
    "train_per_fold MEMBER 0",
    "snapshot_ensemble",
    "threshold_search",
    "postprocess_connected_components",
)
AFTER = 0.25
"""Share of the time kept for what comes after training."""
UNKNOWN_RATE = 500.0
"""Crops a second where the part `throughput` has none."""
FIRST, CYCLES, EACH = 8, 4, 14
"""Epochs of BCE, cycles of Lovász, and epochs of each, as `gpu` has them."""


def measure(settings: Settings) -> None:
    """Run the stages one after the other and keep their results after each."""
    with TemporaryDirectory() as name:
        layout = Layout(Path(name))
        member = write_inputs(layout, settings)
        for stage in STAGES:
            if stage.startswith("train"):
                set_epochs(layout, settings)
            started = perf_counter()
            script, *items = stage.replace("MEMBER", member).split()
            main = import_module(f"stages.{script}").main
            main(layout.root, *[int(item) if item.isdigit() else item for item in items])
            spent = round(perf_counter() - started, 1)
            settings.record("fold", {"stage": script, "seconds": spent, **results(layout, script)})
            keep(layout, Path(settings.folder) / "fold")


def write_inputs(layout: Layout, settings: Settings) -> str:
    """Write params.yaml and what the stages read beside it; return the member's name."""
    recipe = "subset" if settings.small else "gpu"
    params = read_params(recipe)
    content = params.model_dump(mode="json", exclude_unset=True)
    member: str = content["train_per_fold"]["members"][0]
    content["runtime"] = runtime(params, settings.device).model_dump()
    content["pseudolabel"]["enabled"] = False
    content["train_per_fold"]["folds"] = [0]
    if settings.raw:
        content["ingest"] |= {"source": "tgs", "raw_dir": str(Path(settings.raw).resolve())}
    elif not settings.small:
        content["survey"] |= {"train": 4000, "test": 200}
    if not settings.small:
        file = weights_file()
        content["models"][member]["weights"] = file.name if file else "none"
        if file:
            layout.weights.mkdir()
            shutil.copy(file, layout.weights)
    layout.params.write_text(yaml.safe_dump(content, sort_keys=False))
    shutil.copy(ROOT / "requirements.lock", layout.root)
    return member


def fitting_epochs(seconds: float, crops: int, rate: float) -> tuple[int, int]:
    """Return the epochs of BCE and of each Lovász cycle that fit, at most those of the recipe.

    seconds: for training; crops: of an epoch; rate: crops a second. At least one epoch each.
    """
    epochs = seconds * rate / max(crops, 1)
    share = min(1.0, epochs / (FIRST + CYCLES * EACH))
    return max(1, int(share * FIRST)), max(1, int(share * EACH))


def set_epochs(layout: Layout, settings: Settings) -> None:
    """Write the phases: the teacher's BCE, then Lovász in four cycles."""
    content = yaml.safe_load(layout.params.read_text())
    crops = len(load_crops(layout.data("ingest")).train_images)
    crops = crops * (content["fold_split"]["n_folds"] - 1) // content["fold_split"]["n_folds"]
    rate = known_rate(Path(settings.folder) / "throughput.jsonl")
    first, each = fitting_epochs((1 - AFTER) * settings.left(), crops, rate)
    if settings.small:
        first = each = 1
    phases = [content["pseudolabel"]["phases"][0], content["train_per_fold"]["phases"][-1]]
    for phase, epochs in zip(phases, (first, each), strict=True):
        [schedule] = phase["schedule"].values()
        schedule["epochs"] = epochs
    phases[0]["keep"] = "none"
    content["train_per_fold"]["phases"] = phases
    layout.params.write_text(yaml.safe_dump(content, sort_keys=False))
    settings.record("fold", {"stage": "plan", "rate": rate, "epochs": [first, each]})


def known_rate(path: Path) -> float:
    """Return the crops a second that one job trains on, or is given, whichever is fewer."""
    rows = [row for row in read_rows(path) if "crops_per_second" in row]
    trained = [row["crops_per_second"] for row in rows if row.get("jobs") == 1]
    given = [row["crops_per_second"] for row in rows if row["what"] == "augmentation"]
    if not trained:
        return UNKNOWN_RATE
    return float(min(trained[0], max(given, default=trained[0])))


def results(layout: Layout, script: str) -> dict[str, Any]:
    """Return the numbers of a stage's results, if it has any."""
    path = layout.result(script.replace("_", "-"))
    if not path.exists():
        return {}
    content = json.loads(path.read_text())
    return {key: value for key, value in content.items() if isinstance(value, int | float)}


def keep(layout: Layout, folder: Path) -> None:
    """Copy results, histories and parameters, and what was predicted out of fold, in bytes."""
    shutil.copytree(layout.root / "results", folder / "results", dirs_exist_ok=True)
    shutil.copy(layout.params, folder)
    path = layout.data("snapshot-ensemble") / "out_of_fold.npy"
    if path.exists():
        probabilities = np.load(path).astype(np.float32)
        pixels = np.round(255 * np.nan_to_num(probabilities)).astype(np.uint8)
        np.savez_compressed(folder / "out_of_fold.npz", probabilities=pixels)
        shutil.copy(path.with_suffix(".parquet"), folder)
