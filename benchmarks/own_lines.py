"""What starting from a trained model is worth, by how many lines of a survey are labelled.

    python -m benchmarks.own_lines VOLUME [WEIGHTS] [--lines 10 20 50] [--recipe survey]

Run it in a checkout. VOLUME: a folder of `saltseg survey VOLUME --volume 200x240x240 --segy`.
WEIGHTS: `survey`, or a file of weights/, as `saltseg weights` keeps it, of the recipe's network,
which has one member. For each number of lines the pipeline runs twice, from ImageNet's weights and
from WEIGHTS, in a copy of the checkout. The test crops are from lines that nobody labelled; their
IoU is of all their pixels together.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from saltseg.config.params import Params, load_params
from saltseg.config.recipes import write_recipe
from saltseg.crops.crop_set import load_array, load_table, split_table
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.tracking import wait_for_recorders


def stages(params: Params) -> list[tuple[str, ...]]:
    """Return the stages up to the masks, with their items."""
    (member,), folds = params.train_per_fold.members, map(str, params.train_per_fold.folds)
    items = [[("pseudolabel", fold), ("train_per_fold", member, fold)] for fold in folds]
    return [
        *(("ingest",), ("coverage_stratify",), ("fold_split",)),
        *(item for pair in items for item in pair),
        *(("snapshot_ensemble",), ("threshold_search",), ("postprocess_connected_components",)),
    ]


def copy_checkout(root: Path, volume: Path) -> Layout:
    """Copy what the stages need to `root`, with the volume as one's own data."""
    for name in ("src", "stages", "conf", "weights"):
        shutil.copytree(name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy("dvc.yaml", root)
    folder = root / "data" / "mine"
    folder.mkdir(parents=True)
    for name in ("amplitude.sgy", "salt.sgy"):
        shutil.copy(volume / name, folder)
    return Layout(root)


def run(layout: Layout, recipe: str, lines: list[int], weights: str) -> tuple[float, float]:
    """Run the pipeline on some lines; return the nested score and the IoU on other lines."""
    own = f"+ingest.own.lines={lines}".replace(" ", "")
    overrides = ["ingest.source=own", "ingest.raw_dir=data/mine", own]
    write_recipe(layout, recipe, overrides)
    params = load_params(layout.params)
    (member,) = params.train_per_fold.members
    write_recipe(layout, recipe, [*overrides, f"models.{member}.weights={weights}"])
    for stage, *items in stages(params):
        command = [sys.executable, f"stages/{stage}.py", *items]
        path = {"PYTHONPATH": str(layout.root / "src"), "PATH": os.environ["PATH"]}
        subprocess.run(command, cwd=layout.root, env=path, check=True)
    wait_for_recorders(layout.mlruns)  # they write into the folder that is removed next
    nested = read_json(layout.result("postprocess-connected-components"))["score"]
    return float(nested), unlabelled_iou(layout)


def unlabelled_iou(layout: Layout) -> float:
    """Return the IoU of the test crops' masks with the volume's truth."""
    from saltseg.seismic.opening import open_survey
    from saltseg.seismic.options import SurveyOptions

    table = split_table(load_table(layout.data("ingest") / "crops.parquet"), "test")
    masks = load_array(layout.data("postprocess-connected-components") / "test_masks.npy")
    hit = either = 0
    with open_survey(layout.root / "data" / "mine" / "salt.sgy", SurveyOptions()) as truth:
        for name, mask in zip(table["id"], masks, strict=True):
            axis, line, row, column = name.split("_")
            raw, _ = truth.raw_along(axis, int(line))
            place = np.s_[int(column) : int(column) + 101, int(row) : int(row) + 101]
            salt = raw[place].T > 0.5
            hit += int((mask & salt).sum())
            either += int((mask | salt).sum())
    return hit / max(either, 1)


def main(volume: Path, weights: str, counts: list[int], recipe: str) -> None:
    """Print the table."""
    from saltseg.seismic.opening import open_survey
    from saltseg.seismic.options import SurveyOptions

    with open_survey(volume / "amplitude.sgy", SurveyOptions()) as survey:
        numbers = survey.grid.inlines
    print("| labelled lines | start | nested score | IoU on other lines |\n|---|---|---|---|")
    for count in counts:
        chosen = numbers[np.linspace(0, len(numbers) - 1, count).round().astype(int)].tolist()
        for start in ("packaged", weights):
            with tempfile.TemporaryDirectory() as folder:
                layout = copy_checkout(Path(folder), volume)
                nested, other = run(layout, recipe, chosen, start)
            print(f"| {count} | {start} | {nested:.3f} | {other:.3f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fine-tuning against starting anew.")
    parser.add_argument("volume", type=Path)
    parser.add_argument("weights", nargs="?", default="survey")
    parser.add_argument("--lines", type=int, nargs="+", default=[10, 20, 50])
    parser.add_argument("--recipe", default="survey")
    given = parser.parse_args()
    with one_line_errors():
        main(given.volume, given.weights, given.lines, given.recipe)
