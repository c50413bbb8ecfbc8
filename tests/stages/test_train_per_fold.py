import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from saltseg.models.snapshots import Weights, load_snapshot
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.selection.pseudolabels import no_pseudolabels, save_pseudolabels
from stages import pseudolabel, train_per_fold
from tests.conftest import shrunk_content
from tests.helpers.phases import write_schedule


def test_a_snapshot_for_each_cycle_and_the_last_epoch_s_numbers(folded: Layout) -> None:
    pseudolabel.main(folded.root, 0)
    train_per_fold.main(folded.root, "class_unet", 0)
    snapshots = sorted(path.name for path in folded.model("class_unet", 0).iterdir())
    assert snapshots == ["snapshot_0.safetensors", "snapshot_1.safetensors"]
    history = pd.read_csv(folded.plots("train-per-fold", "class_unet", 0) / "history.csv")
    assert history["phase"].tolist() == [0, 1, 2]
    result = read_json(folded.result("train-per-fold", "class_unet", 0))
    assert result["epochs"] == 3
    assert np.isclose(result["validation_bce"], history["validation_bce"].iloc[-1], atol=1e-6)
    assert not any(folded.checkpoints.iterdir())


def test_without_pseudolabels_their_phase_is_left_out(folded: Layout) -> None:
    save_pseudolabels(folded.data("pseudolabel", 1), no_pseudolabels())
    train_per_fold.main(folded.root, "class_unet", 1)
    history = pd.read_csv(folded.plots("train-per-fold", "class_unet", 1) / "history.csv")
    assert history["phase"].tolist() == [1, 2]
    assert len(list(folded.model("class_unet", 1).iterdir())) == 2


def test_without_pseudolabels_their_phase_keeps_no_snapshots(folded: Layout) -> None:
    content = shrunk_content()
    content["train_per_fold"]["phases"][0]["keep"] = "cycle_ends"
    folded.params.write_text(yaml.safe_dump(content))
    save_pseudolabels(folded.data("pseudolabel", 1), no_pseudolabels())
    with pytest.raises(InputError, match=r"phases\.0\.keep: cycle_ends, but fold 1 has no pseudo"):
        train_per_fold.main(folded.root, "class_unet", 1)
    assert not folded.checkpoints.exists() and not folded.model("class_unet", 1).exists()


def test_a_member_goes_on_from_the_teacher_of_its_own_fold(folded: Layout) -> None:
    content = shrunk_content()
    content["pseudolabel"]["warm_start"] = True
    still = write_schedule("constant", learning_rate=1e-12)
    phase = {**content["train_per_fold"]["phases"][0], "schedule": still, "keep": "cycle_ends"}
    content["train_per_fold"]["phases"] = [phase]
    folded.params.write_text(yaml.safe_dump(content))
    for fold in (0, 1):
        pseudolabel.main(folded.root, fold)
        train_per_fold.main(folded.root, "class_unet", fold)
    teachers = [load_snapshot(folded.teacher(fold)) for fold in (0, 1)]
    snapshots = [folded.model("class_unet", fold) / "snapshot_0.safetensors" for fold in (0, 1)]
    for fold, member in enumerate(map(load_snapshot, snapshots)):
        assert near(member, teachers[fold]) and not near(member, teachers[1 - fold])
    content["pseudolabel"]["warm_start"] = False
    folded.params.write_text(yaml.safe_dump(content))
    pseudolabel.main(folded.root, 0)
    train_per_fold.main(folded.root, "class_unet", 0)
    assert not folded.teacher(0).exists()
    assert not near(load_snapshot(snapshots[0]), teachers[0])


def near(one: Weights, two: Weights) -> bool:
    return all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)


def test_a_network_of_all_folds_has_no_held_out_score(folded: Layout) -> None:
    content = shrunk_content()
    content["train_per_fold"]["folds"] = [0, 1, "all"]
    folded.params.write_text(yaml.safe_dump(content))
    pseudolabel.main(folded.root, "all")
    train_per_fold.main(folded.root, "class_unet", "all")
    assert len([*folded.model("class_unet", "all").iterdir()]) == 2
    assert read_json(folded.result("train-per-fold", "class_unet", "all")).keys() == {
        *("epochs", "loss")
    }
    history = pd.read_csv(folded.plots("train-per-fold", "class_unet", "all") / "history.csv")
    assert history["phase"].tolist() == [0, 1, 2]
    assert history[["validation_bce", "validation_score"]].isna().all(axis=None)


def test_an_unknown_member_is_named(folded: Layout) -> None:
    with pytest.raises(InputError, match="models: no 'resnet'; use one of"):
        train_per_fold.main(folded.root, "resnet", 0)


@pytest.mark.parametrize("fold", [-1, 2])
def test_an_unknown_fold_is_named(folded: Layout, fold: int) -> None:
    said = rf"params\.yaml: fold_split\.n_folds: there is no fold {fold}; use one of 0 to 1"
    with pytest.raises(InputError, match=said):
        train_per_fold.main(folded.root, "class_unet", fold)
    with pytest.raises(InputError, match=said):
        pseudolabel.main(folded.root, fold)
    assert not folded.data("pseudolabel").exists()
