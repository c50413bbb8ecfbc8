import numpy as np
import pandas as pd
import pytest
import yaml

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.selection.pseudolabels import no_pseudolabels, save_pseudolabels
from stages import pseudolabel, train_per_fold
from tests.conftest import shrunk_content


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


def test_an_unknown_member_is_named(folded: Layout) -> None:
    with pytest.raises(InputError, match="models: no 'resnet'; name one of"):
        train_per_fold.main(folded.root, "resnet", 0)


@pytest.mark.parametrize("fold", [-1, 2])
def test_an_unknown_fold_is_named(folded: Layout, fold: int) -> None:
    said = rf"params\.yaml: fold_split\.n_folds: there is no fold {fold}; name one of 0 to 1"
    with pytest.raises(InputError, match=said):
        train_per_fold.main(folded.root, "class_unet", fold)
    with pytest.raises(InputError, match=said):
        pseudolabel.main(folded.root, fold)
    assert not folded.data("pseudolabel").exists()
