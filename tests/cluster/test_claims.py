"""Items that several experiments want: one process runs each, and the others take its outputs."""

import shutil
from pathlib import Path

import pytest
import yaml

from saltseg.cluster.claims import Claims
from saltseg.cluster.item_outputs import input_digest, restored
from saltseg.plumbing.layout import Layout
from tests.helpers.checkout import Checkout

PIPELINE = """
stages:
  train:
    matrix: {fold: [0, 1]}
    cmd: cp source made${item.fold} && cp source told${item.fold}
    deps: [source]
    params: [rate]
    outs: ["made${item.fold}"]
    metrics: [{"told${item.fold}": {cache: false}}]
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which one of two items has run."""
    checkout = Checkout(tmp_path_factory.mktemp("claims") / "first")
    checkout.root.mkdir()
    (checkout.root / "dvc.yaml").write_text(PIPELINE)
    (checkout.root / "params.yaml").write_text("rate: 1\n")
    (checkout.root / "source").write_text("1\n")
    checkout.succeed("git", "init", "--quiet")
    checkout.succeed("dvc", "init", "--quiet")
    checkout.succeed("dvc", "repro", "--quiet", "--single-item", "train@0")
    return checkout


def copy_of(checkout: Checkout, folder: Path) -> Path:
    """Make an experiment's copy, which has the cache but no outputs."""
    ignored = shutil.ignore_patterns("dvc.lock", "made*", "told*", "tmp")
    shutil.copytree(checkout.root, folder, ignore=ignored)
    return folder


def test_an_item_that_ran_before_is_restored_as_dvc_would(
    trained: Checkout, tmp_path: Path
) -> None:
    copy = copy_of(trained, tmp_path / "copy")
    assert restored(copy, "train@0") and not restored(copy, "train@1")
    assert (copy / "made0").read_text() == (copy / "told0").read_text() == "1\n"
    lock = (copy / "dvc.lock").read_text()
    assert lock == (trained.root / "dvc.lock").read_text()
    (copy / "params.yaml").write_text("rate: 2\n")
    assert not restored(copy, "train@0")
    assert (copy / "dvc.lock").read_text() == lock


def test_one_process_at_a_time_runs_an_item_with_given_inputs(
    trained: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    copies = [copy_of(trained, tmp_path / name) for name in ("same", "equal", "other")]
    (copies[2] / "params.yaml").write_text(yaml.safe_dump({"rate": 2}))
    first, second, third = (Claims(Layout(copy)) for copy in copies)
    assert first.take("train@0") and not second.take("train@0")
    assert second.take("train@1") and third.take("train@0")
    assert input_digest(copies[0], "train@0") == input_digest(copies[1], "train@0")
    first.leave("train@0")
    assert second.take("train@0")
