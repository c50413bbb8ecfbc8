"""`dvc repro` interrupted by Ctrl-C and by SIGKILL, and started again."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from saltseg.crops.crop_set import CropSet, save_crops
from saltseg.plumbing.layout import Layout
from saltseg.selection.pseudolabels import no_pseudolabels, save_pseudolabels
from saltseg.survey import write_pretraining
from stages import coverage_stratify, fold_split
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout, make_checkout
from tests.helpers.phases import set_epochs

pytestmark = pytest.mark.long


@pytest.fixture
def checkout(tmp_path: Path, small_crops: CropSet) -> Checkout:
    """A checkout with one stage, train-per-fold of one fold: 16 epochs of 6 batches."""
    content = shrunk_content()
    content["runtime"]["save_seconds"] = 0
    content["training"]["batch_size"] = 2
    content["train_per_fold"]["folds"] = [0]
    set_epochs(content, 8, "train_per_fold")
    before = Layout(tmp_path / "before")
    before.root.mkdir()
    before.params.write_text(yaml.safe_dump(content, sort_keys=False))
    save_crops(before.data("ingest"), small_crops)
    write_pretraining(before.pretraining, crops=0, seed=1, workers=1)
    coverage_stratify.main(before.root)
    fold_split.main(before.root)
    save_pseudolabels(before.data("pseudolabel", 0), no_pseudolabels())
    checkout = make_checkout(tmp_path / "checkout", content)
    shutil.copytree(before.root / "data", checkout.root / "data", dirs_exist_ok=True)
    pipeline = yaml.safe_load((checkout.root / "dvc.yaml").read_text())
    stage = {"train-per-fold": pipeline["stages"]["train-per-fold"]}
    (checkout.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stage}, sort_keys=False))
    return checkout


def repro_and_stop(checkout: Checkout, number: signal.Signals) -> str:
    """Run `dvc repro`, send a signal to it and its stage while that trains; return what it said."""
    checkpoints = Layout(checkout.root).checkpoints
    before = last_save(checkpoints)
    log = checkout.root / "tmp" / "log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as printed:
        # In a session of its own, as below a shell: Ctrl-C goes to dvc and to the stage.
        process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=checkout.root,
            env=checkout.environment(),
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while last_save(checkpoints) == before and process.poll() is None:
            time.sleep(0.005)
        os.killpg(process.pid, number)
        assert process.wait() != 0, log.read_text()
    return log.read_text()


def last_save(checkpoints: Path) -> int | None:
    """Return the number that the disk has given to the checkpoint's file; None without one."""
    return next((path.stat().st_ino for path in checkpoints.glob("*/progress.checkpoint")), None)


def test_what_was_interrupted_goes_on_to_the_same_bytes(checkout: Checkout) -> None:
    said = repro_and_stop(checkout, signal.SIGINT)
    assert "saltseg: interrupted" in said and "Traceback" not in said
    assert "resuming at" in repro_and_stop(checkout, signal.SIGKILL)
    assert "resuming at" in checkout.succeed("dvc", "repro")
    resumed = checkout.outputs()
    assert "models/class_unet/0" in resumed
    said = checkout.succeed("dvc", "repro", "--force")
    assert "Running stage" in said and "resuming at" not in said
    assert checkout.outputs() == resumed
