"""Makes the model that comes with saltseg from a finished run of recipe `survey`.

    saltseg recipe survey && saltseg train
    python -m benchmarks.packaged_model [--root CHECKOUT]

Writes src/saltseg/packaged/survey: one network, whose weights are the mean of the snapshots of fold
0 in half precision, with the run's threshold, calibration and component sizes. Prints the MD5 that
src/saltseg/models/survey_model.py has to name.
"""

import argparse
from pathlib import Path

import torch
import yaml
from safetensors.torch import save

from saltseg.config.params import load_params
from saltseg.inference.ensemble import find_snapshots
from saltseg.inference.predictor import snapshot_shares
from saltseg.models.averages import averaged
from saltseg.models.snapshots import load_snapshot
from saltseg.models.survey_model import FOLDER, SNAPSHOT
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import hash_file, read_json, whole_file, write_json
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import model_settings
from saltseg.project.model_folder import MANIFEST, SETTINGS


def write_weights(layout: Layout) -> None:
    """Write the mean of fold 0's snapshots as float16."""
    params = load_params(layout.params)
    (member,) = params.train_per_fold.members
    paths = find_snapshots(layout, params)[member, params.train_per_fold.folds[0]]
    shares = snapshot_shares(len(paths), params.snapshot_ensemble.snapshot_decay)
    mean = averaged([load_snapshot(path) for path in paths], shares)
    half = {name: each.half() if each.is_floating_point() else each for name, each in mean.items()}
    if not all(bool(torch.isfinite(each).all()) for each in half.values()):
        raise OverflowError("a weight is beyond half precision")
    SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(SNAPSHOT) as temporary:
        temporary.write_bytes(save(half))


def write_params(layout: Layout) -> None:
    """Write the run's parameters, with what one network of one fold is predicted by."""
    params = yaml.safe_load(layout.params.read_text(encoding="utf-8"))
    training = params["train_per_fold"]
    training["folds"] = training["folds"][:1]
    training["phases"][-1]["keep"] = {"last": 1}
    with whole_file(FOLDER / "params.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    load_params(FOLDER / "params.yaml")


def main(root: Path) -> None:
    """Write the model of the run in the checkout `root`."""
    layout = Layout(root)
    write_weights(layout)
    write_params(layout)
    write_json(FOLDER / SETTINGS, model_settings(layout) | {"code": None})
    write_json(FOLDER / MANIFEST, read_json(layout.data("submit") / MANIFEST))
    print(f"{SNAPSHOT}: MD5 {hash_file(SNAPSHOT)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the model that comes with saltseg.")
    parser.add_argument("--root", type=Path, default=Path())
    with one_line_errors():
        main(parser.parse_args().root)
