"""models/ held against dvc.lock: what is damaged, what may be removed."""

import shutil
from pathlib import Path

import pytest
import yaml

from saltseg.config.params import Params, load_params
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file, write_text
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_lock import folder_hash
from saltseg.project.model_export import export_model
from saltseg.project.trained_models import check_models, remove_stale_outputs
from saltseg.selection.greedy_weights import ChosenWeights
from saltseg.selection.sizes import KEEP, ChosenSizes
from saltseg.selection.thresholds import Thresholds
from tests.conftest import shrunk_content


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Models of two members, two folds each, and the dvc.lock of their trainings."""
    layout = Layout(tmp_path)
    layout.params.write_text(yaml.safe_dump(shrunk_content(), sort_keys=False))
    for member in ("class_unet", "other"):
        for fold in (0, 1):
            layout.model(member, fold).mkdir(parents=True)
            (layout.model(member, fold) / "snapshot_0.safetensors").write_text(f"{member} {fold}")
    for fold in (0, 1, 5):
        layout.data("pseudolabel", fold).mkdir(parents=True)
        (layout.data("pseudolabel", fold) / "masks.npy").write_text(str(fold))
    for member, fold in (("class_unet", 0), ("other", 0)):
        write_text(layout.plots("train-per-fold", member, fold) / "history.csv", member)
    write_lock(layout)
    return layout


def write_lock(layout: Layout) -> None:
    folders = sorted([*layout.models.glob("*/*/"), *layout.data("pseudolabel").glob("*/")])
    outs = [(folder.relative_to(layout.root).as_posix(), folder_hash(folder)) for folder in folders]
    files = layout.plots("train-per-fold").glob("*/*/history.csv")
    outs += [(file.relative_to(layout.root).as_posix(), hash_file(file)) for file in files]
    stages = {path: {"outs": [{"path": path, "md5": digest}]} for path, digest in outs}
    (layout.root / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}))


def test_models_of_a_shrunken_matrix_are_removed(layout: Layout, shrunk_params: Params) -> None:
    removed = remove_stale_outputs(layout, shrunk_params)
    others = [layout.model("other", 0), layout.model("other", 1)]
    history = layout.plots("train-per-fold", "other", 0) / "history.csv"
    assert removed == [layout.data("pseudolabel", 5), *others, history]
    assert [path.name for path in layout.plots("train-per-fold").iterdir()] == ["class_unet"]
    assert [path.name for path in layout.models.iterdir()] == ["class_unet"]
    assert remove_stale_outputs(layout, shrunk_params) == []


@pytest.mark.parametrize("name", ["mine/backup", "class_unet/best", "other/0"])
def test_what_dvc_did_not_make_stays(layout: Layout, shrunk_params: Params, name: str) -> None:
    kept = layout.models / name / "weights.pt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("a month on a borrowed GPU")
    remove_stale_outputs(layout, shrunk_params)
    assert kept.exists() and not layout.model("other", 1).exists()


def test_without_a_lock_nothing_is_removed(layout: Layout, shrunk_params: Params) -> None:
    (layout.root / "dvc.lock").unlink()
    assert remove_stale_outputs(layout, shrunk_params) == []
    check_models(layout, shrunk_params)


@pytest.mark.parametrize("use", ["ensemble", "export"])
def test_flipped_bytes_of_a_snapshot_are_named(layout: Layout, tmp_path: Path, use: str) -> None:
    params = load_params(layout.params)
    check_models(layout, params)
    path = layout.model("class_unet", 1) / "snapshot_0.safetensors"
    path.write_text("class_unet X")
    with pytest.raises(InputError, match=r"models/class_unet/1: differs from dvc\.lock") as no:
        if use == "ensemble":
            check_models(layout, params)
        else:
            export_model(layout, tmp_path / "exported")
    assert "dvc repro --force --single-item train-per-fold@class_unet-1" in str(no.value)
    assert not (tmp_path / "exported").exists()


def test_a_model_cannot_hold_members_from_outside(layout: Layout, tmp_path: Path) -> None:
    content = shrunk_content()
    content["snapshot_ensemble"] |= {"outside": ["kaggle"]}
    layout.params.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"snapshot_ensemble\.outside: a model cannot hold"):
        export_model(layout, tmp_path / "exported")


def test_a_model_holds_the_chosen_weights_of_its_members(layout: Layout, tmp_path: Path) -> None:
    content = shrunk_content()
    content["models"]["other"] = content["models"]["class_unet"]
    content["models"]["third"] = content["models"]["class_unet"]
    content["train_per_fold"] |= {"members": ["class_unet", "other", "third"], "folds": [0, 1]}
    content["snapshot_ensemble"] |= {"greedy_weights": True}
    layout.params.write_text(yaml.safe_dump(content))
    for fold in (0, 1):
        shutil.copytree(layout.model("other", fold), layout.model("third", fold))
    chosen = {"class_unet": 0.25, "other": 0.0, "third": 0.75}
    ChosenWeights(chosen, {}).save(layout.data("snapshot-ensemble"))
    Thresholds(0.5, {}).save(layout.data("threshold-search"))
    ChosenSizes(False, KEEP, {}).save(layout.data("postprocess-connected-components"))
    write_text(layout.data("submit") / "manifest.json", "{}")
    export_model(layout, tmp_path / "exported")
    model = Layout(tmp_path / "exported" / "model")
    params = load_params(model.params)
    assert params.snapshot_ensemble.member_weights == {"class_unet": 0.25, "third": 0.75}
    assert not params.snapshot_ensemble.greedy_weights
    assert params.train_per_fold.members == ["class_unet", "third"]
    assert sorted(path.name for path in model.models.iterdir()) == ["class_unet", "third"]
