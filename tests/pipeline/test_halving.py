"""`saltseg ablate --halving` in a real repository, with real trainings."""

import json
from pathlib import Path

import pytest
import yaml

from tests.conftest import shrunk_content
from tests.helpers.checkout import make_checkout
from tests.helpers.phases import set_epochs

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_the_last_rung_trains_the_survivor_in_full(tmp_path: Path) -> None:
    content = shrunk_content()
    content["pseudolabel"]["enabled"] = False
    set_epochs(content, 2, "train_per_fold")
    checkout = make_checkout(tmp_path / "checkout", content)
    said = checkout.succeed(
        "saltseg", "ablate", "shrunk", "--halving", "--vary", "snapshot_ensemble.flip=false",
        "--vary", "threshold_search.count=41", "--match", "cost", "--folds", "0",
        "--out", "table.md",
    )  # fmt: skip
    assert "halving: of 2 variants, 2 at 1/2 and 1 at all of the epochs, each time with" in said
    assert said.count("Reproducing experiment") == 5
    # A member is trained once a rung: no variant touches it.
    assert said.count("Running stage 'train-per-fold@class_unet-0'") == 2
    table = (checkout.root / "table.md").read_text()
    assert said.startswith(table)
    assert (
        table.count("| shrunk, the base |") == 2 and "**Rung 2 of 2: 1 variant in full**" in table
    )
    (path,) = (checkout.root / "mlruns/artifacts").rglob("ablation.json")
    short, full = json.loads(path.read_text())["rungs"]
    scores = {row["variant"]: row["score_over_thresholds"] for row in short["rows"]}
    base = scores.pop("shrunk")
    assert full["rows"][1]["variant"] == max(scores, key=lambda name: scores[name])
    for row in short["rows"][1:]:
        assert row["difference"] == pytest.approx(row["score_over_thresholds"] - base)
    for rung, epochs in ((short, 1), (full, 2)):
        for name in (name for row in rung["rows"] for name in row["experiments"]):
            reference = checkout.succeed(
                "git", "for-each-ref", "--format=%(refname)", f"refs/exps/**/{name}"
            ).strip()
            params = yaml.safe_load(checkout.succeed("git", "show", f"{reference}:params.yaml"))
            for phase in params["train_per_fold"]["phases"][1:]:  # the first learns from nothing
                (schedule,) = phase["schedule"].values()
                assert schedule["epochs"] == epochs
