"""Teachers and members learn from the synthetic survey first, where a phase says so."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from saltseg.config.model_definitions import CROP
from saltseg.config.params import Params, parse_params
from saltseg.crops.crop_set import CropSet
from saltseg.learning.member import train_member
from saltseg.learning.teacher import predict_test, train_teacher
from saltseg.learning.training_sets import Sources, survey_crops
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.layout import Layout
from saltseg.selection.pseudolabels import no_pseudolabels
from saltseg.survey import SurveySet, write_pretraining
from saltseg.survey.sampling import collect
from tests.conftest import shrunk_content

CROPS = 12
Learn = Callable[[CropSet, pd.DataFrame, Params, Layout], npt.NDArray[np.float32]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = Layout(tmp_path_factory.mktemp("pretraining"))
    write_pretraining(layout.pretraining, CROPS, seed=2018, workers=0)
    return layout


@pytest.fixture
def pretrained_params() -> Params:
    content = shrunk_content()
    content["survey"]["pretraining"] = CROPS
    for phases in (content["pseudolabel"]["phases"], content["train_per_fold"]["phases"]):
        phases.insert(0, {**phases[-1], "data": "survey", "keep": "none"})
    return parse_params(content, "params.yaml")


def copied(written: Layout, root: Path, turned: bool) -> Layout:
    """Copy the crops below `root`, with their masks or with the opposite of them."""
    layout = Layout(root)
    layout.pretraining.mkdir(parents=True)
    for name in ("images", "masks", "depth"):
        array = np.load(written.pretraining / f"{name}.npy")
        array = ~array if turned and name == "masks" else array
        np.save(layout.pretraining / f"{name}.npy", array)
    return layout


def test_processes_change_no_byte_and_masks_are_those_of_the_crops(
    written: Layout, tmp_path: Path
) -> None:
    write_pretraining(tmp_path, CROPS, seed=2018, workers=2)
    names = ["depth.npy", "images.npy", "masks.npy"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert hash_file(tmp_path / name) == hash_file(written.pretraining / name)
    masks = np.load(tmp_path / "masks.npy")
    assert masks.shape == (CROPS, CROP, CROP) and 3 <= masks.any(axis=(1, 2)).sum() < CROPS


def test_no_crop_is_of_the_survey_of_the_same_seed(
    written: Layout, small_survey: SurveySet
) -> None:
    known = lit(np.concatenate([small_survey.crops.train_images, small_survey.crops.test_images]))
    of_its_sections = collect(0, CROPS, seed=2018, workers=0)[1].tiles
    assert known & lit(np.stack([tile.image for tile in of_its_sections]))
    assert not known & lit(np.load(written.pretraining / "images.npy"))


def lit(images: npt.NDArray[np.uint8]) -> set[bytes]:
    """Return the bytes of the images that are not black."""
    return {image.tobytes() for image in images if image.any()}


def teacher(
    crops: CropSet, folds: pd.DataFrame, params: Params, layout: Layout
) -> npt.NDArray[np.float32]:
    labels = no_pseudolabels()
    trained = train_teacher(0, 0, Sources(params, layout, crops, folds), labels, silent)
    return predict_test(crops, trained.snapshots, params, "teacher")


def member(
    crops: CropSet, folds: pd.DataFrame, params: Params, layout: Layout
) -> npt.NDArray[np.float32]:
    labels = no_pseudolabels()
    sources = Sources(params, layout, crops, folds)
    trained = train_member("class_unet", 0, sources, labels, silent)
    assert [record.phase for record in trained.history] == [0, 2, 3]
    weights = [tensor.flatten() for tensor in trained.snapshots[0].values()]
    return torch.cat(weights).numpy()


def silent(values: Mapping[str, float], step: int) -> None:
    """Report to nobody."""


@pytest.mark.parametrize("learn", [teacher, member])
def test_they_learn_from_its_masks(
    learn: Learn,
    written: Layout,
    pretrained_params: Params,
    small_crops: CropSet,
    tmp_path: Path,
) -> None:
    ids = small_crops.train["id"]
    folds = pd.DataFrame({"id": ids, "fold": np.arange(len(ids)) % 2})
    layouts = [copied(written, tmp_path / str(turned), turned) for turned in (False, True)]
    one, other = (learn(small_crops, folds, pretrained_params, layout) for layout in layouts)
    assert (one != other).any()


def test_only_a_phase_that_asks_for_it_needs_its_files(
    tmp_path: Path, shrunk_params: Params, pretrained_params: Params
) -> None:
    assert survey_crops(tmp_path, shrunk_params.train_per_fold.phases) is None
    with pytest.raises(InputError, match=r"images\.npy: cannot be opened .*; run dvc repro"):
        survey_crops(tmp_path, pretrained_params.train_per_fold.phases)
