"""What params.yaml may not put into a command or an output path, in a real DVC repository."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from saltseg.crops.crop_set import CropSet, save_crops
from saltseg.plumbing.layout import Layout
from stages import coverage_stratify
from tests.conftest import PROJECT, shrunk_content
from tests.helpers.checkout import Checkout, make_checkout

pytestmark = pytest.mark.slow

REFUSED = "saltseg: params.yaml: train_per_fold."
HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "command": ({"folds": ["0; touch ran; true"]}, REFUSED),
    "substitution": ({"folds": ["$(touch ran)"]}, REFUSED),
    "path": ({"members": ["../precious"]}, REFUSED),
    "negative": ({"folds": [-1]}, REFUSED),
    "fraction": ({"folds": [0.5]}, REFUSED),
    "mapping": ({"members": [{"; touch ran; true": 1}]}, "Cannot interpolate data of type 'dict'"),
    "fold as path": ({"folds": ["../../precious/0"]}, "both a dependency and an output"),
}
"""What is set below train_per_fold, and in whose words it is refused: ours, or dvc's before."""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, small_crops: CropSet) -> Checkout:
    """A checkout in which fold-split and train-per-fold are all that is left to run."""
    folder = tmp_path_factory.mktemp("hostile")
    checkout = make_checkout(folder / "checkout", shrunk_content())
    layout = Layout(checkout.root)
    pipeline = yaml.safe_load((checkout.root / "dvc.yaml").read_text())
    stages = {name: pipeline["stages"][name] for name in ("fold-split", "train-per-fold")}
    (checkout.root / "dvc.yaml").unlink()  # nothing below is recorded
    save_crops(layout.data("ingest"), small_crops)
    coverage_stratify.main(checkout.root)
    for path in (layout.data("pseudolabel", 0), layout.pretraining):
        path.mkdir(parents=True)
    (checkout.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    checkout.succeed("dvc", "repro", "fold-split")
    return checkout


@pytest.fixture
def checkout(ready: Checkout, tmp_path: Path) -> Checkout:
    """A copy of it, with a folder that is no output of the pipeline."""
    checkout = Checkout(tmp_path / "checkout")
    shutil.copytree(ready.root, checkout.root, symlinks=True)
    (checkout.root / "precious/0").mkdir(parents=True)
    (checkout.root / "precious/0/thesis.txt").write_text("years")
    return checkout


def repro(checkout: Checkout, kind: str, *options: str) -> str:
    """Run train-per-fold's first item with hostile parameters; return what it was refused with."""
    content = shrunk_content()
    content["train_per_fold"] |= HOSTILE[kind][0]
    (checkout.root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    settings = content["train_per_fold"]
    member, fold = settings["members"][0], str(settings["folds"][0])
    (Layout(checkout.root).data("pseudolabel") / fold).mkdir(parents=True, exist_ok=True)
    # dvc names an item whose part is a mapping by the part's number.
    item = f"train-per-fold@{member if isinstance(member, str) else 'member0'}-{fold}"
    done = checkout.run("dvc", "repro", *options, item)
    assert done.returncode != 0 and not list(checkout.root.rglob("ran"))
    return done.stderr


@pytest.mark.parametrize("kind", HOSTILE)
def test_params_run_no_command_and_remove_no_folder(checkout: Checkout, kind: str) -> None:
    assert HOSTILE[kind][1] in repro(checkout, kind)
    assert (checkout.root / "precious/0/thesis.txt").read_text() == "years"


@pytest.mark.long
@pytest.mark.parametrize("kind", ["command", "substitution"])
def test_an_item_without_what_is_above_runs_no_command_either(
    checkout: Checkout, kind: str
) -> None:
    assert "is not a whole number; give a fold of params.yaml" in repro(
        checkout, kind, "--single-item"
    )


def test_no_command_holds_a_value_of_params() -> None:
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
    assert not [name for name, stage in stages.items() if "${" in str(stage["cmd"])]
