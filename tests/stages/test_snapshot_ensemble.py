import json

import numpy as np
import pytest

from saltseg.config.params import Params
from saltseg.crops.crop_set import load_array, load_table
from saltseg.models import create_model
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_lock import folder_hash
from saltseg.scoring.metric import precision
from stages import snapshot_ensemble


def write_models(folded: Layout, params: Params) -> None:
    """Networks as they come from their seeds stand in for trained ones."""
    for fold in (0, 1, 2):
        seeds = (2 * fold, 2 * fold + 1)
        networks = [create_model(params.models["class_unet"], seed, None) for seed in seeds]
        save_snapshots(folded.model("class_unet", fold), [n.state_dict() for n in networks])


def test_every_train_crop_is_predicted_by_its_fold(
    folded: Layout, shrunk_params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    write_models(folded, shrunk_params)
    made = {"path": "models/class_unet/2", "md5": folder_hash(folded.model("class_unet", 2))}
    (folded.root / "dvc.lock").write_text(json.dumps({"stages": {"x": {"outs": [made]}}}))
    snapshot_ensemble.main(folded.root)
    folder = folded.data("snapshot-ensemble")
    out_of_fold, test = load_array(folder / "out_of_fold.npy"), load_array(folder / "test.npy")
    assert out_of_fold.dtype == test.dtype == np.float16
    table = load_table(folder / "out_of_fold.parquet")
    folds = load_table(folded.data("fold-split") / "folds.parquet")
    assert table["row"].tolist() == list(range(24))
    assert dict(zip(table["id"], table["fold"], strict=True)) == dict(
        zip(folds["id"], folds["fold"], strict=True)
    )
    result = read_json(folded.result("snapshot-ensemble"))
    truth = load_array(folded.data("ingest") / "train_masks.npy")
    assert result["score_at_half"] == precision(out_of_fold > 0.5, truth).mean()
    assert result["snapshots"] == 4
    assert "models/class_unet/2, which belongs to another run" in capsys.readouterr().out


def test_a_partial_ensemble_writes_nothing(folded: Layout, shrunk_params: Params) -> None:
    write_models(folded, shrunk_params)
    (folded.model("class_unet", 1) / "snapshot_1.safetensors").unlink()
    with pytest.raises(InputError, match="1 snapshots are missing"):
        snapshot_ensemble.main(folded.root)
    assert not folded.data("snapshot-ensemble").exists()
