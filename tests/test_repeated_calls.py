"""Whatever predicts, reads or generates gives the same bytes on every call, in any order.

Each thing is made once and called with three keys, which stand for three inputs. What it gives for
a key may not depend on the calls before.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import saltseg
from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.params import Params, load_params
from saltseg.crops import coverage, mosaics
from saltseg.crops.crop_set import CropSet, depth, load_crops, load_table, split_table
from saltseg.crops.folds import assign_folds
from saltseg.crops.tgs import read_raw
from saltseg.inference.ensemble import average, find_snapshots, load_parts
from saltseg.inference.plain_prediction import predict_plainly
from saltseg.inference.predictor import snapshot_predictor
from saltseg.inference.views import View
from saltseg.learning.batches import AugmentedBatches, load_batches
from saltseg.learning.training_sets import LabelledCrops, Sources, sets_without
from saltseg.models import create_model
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.project.model_export import export_model
from saltseg.project.model_folder import find_model
from saltseg.scoring import rle
from saltseg.scoring.components import clean, precision_by_sizes
from saltseg.scoring.intervals import bootstrap_interval
from saltseg.scoring.metric import precision, precision_curve, salt_masks
from saltseg.scoring.submission import write_submission
from saltseg.seismic.choices import Members, ScaleOf
from saltseg.seismic.images import read_image
from saltseg.seismic.scaling import Scale
from saltseg.seismic.survey import Section
from saltseg.selection import nested_choice as thresholds
from saltseg.selection import postprocess
from saltseg.selection.out_of_fold import load_out_of_fold
from saltseg.selection.pseudolabels import no_pseudolabels, select
from saltseg.selection.thresholds import Thresholds
from saltseg.serving.image_files import write_prediction
from saltseg.serving.salt_model import SaltModel
from saltseg.serving.served_model import _load_pyfunc
from saltseg.serving.survey_networks import SurveyNetworks
from saltseg.survey import generate, write_kaggle_layout
from saltseg.survey.sections import make_section
from saltseg.survey.survey_set import SurveySet
from tests.helpers.model_definitions import (
    EVERYTHING,
    define_class_unet,
    define_pyramid,
    define_unet,
)
from tests.helpers.trained import random_network

KEYS = (0, 1, 2)

Call = Callable[[int], object]


@dataclass(frozen=True)
class World:
    """What things are made of: a pipeline that has run, its survey, and a folder to write in."""

    layout: Layout
    survey: SurveySet
    folder: Path

    @property
    def crops(self) -> CropSet:
        return self.survey.crops

    @property
    def params(self) -> Params:
        return load_params(self.layout.params)

    def test(self, key: int) -> npt.NDArray[np.uint8]:
        """Three other test crops for each key, which nobody may write to."""
        images = self.crops.test_images[3 * key : 3 * key + 3].copy()
        images.flags.writeable = False
        return images

    def probabilities(self, key: int) -> npt.NDArray[np.float16]:
        values = np.load(self.layout.data("snapshot-ensemble") / "out_of_fold.npy")
        values = np.roll(values, key, axis=0)
        values.flags.writeable = False
        return values

    @property
    def model(self) -> Path:
        folder = self.folder / "model"
        if not folder.exists():
            export_model(self.layout, folder)
        return find_model(folder)


FEET = np.array([100, 500, 900], np.float32)


def predictor(definition: ModelDefinition, world: World) -> Call:
    """Three snapshots of one network, folded where that can be."""
    snapshots = [random_network(definition, seed).state_dict() for seed in range(3)]
    runtime, views = world.params.runtime, [View(scale=1.1)]
    predict = snapshot_predictor(definition, snapshots, 0.5, runtime, flip=True, views=views)
    return lambda key: predict(world.test(key), FEET)


def part(world: World) -> Call:
    first = next(load_parts(world.params, find_snapshots(world.layout, world.params)))
    return lambda key: first.predict(world.test(key), FEET)


def salt_model(world: World) -> Call:
    model = SaltModel(world.model)
    return lambda key: model.predict(world.test(key), FEET)


def salt_model_on_any_size(world: World) -> Call:
    model = SaltModel(world.model)
    return lambda key: model.predict_image(
        np.concatenate([*world.test(key)[:2]], axis=1).astype(float), 300
    )


def salt_model_of_any_kind(world: World) -> Call:
    """A crop, an image of tiles and a small one take turns in one model."""
    model = SaltModel(world.model)
    images = [world.test(0)[0], np.concatenate([*world.test(1)[:2]]), world.test(2)[0, :40, :60]]
    return lambda key: model.predict_image(images[key], 300)


def served_model(world: World) -> Call:
    model = _load_pyfunc(str(world.model))
    depths: list[dict[str, Any] | None] = [None, {"depth": [300.0]}, {"depth": [1.0, 2.0, 3.0]}]
    return lambda key: model.predict(world.test(key), depths[key])


def loaded_model(world: World) -> Call:
    model = saltseg.load(world.model)
    images = [world.test(0), world.test(1)[0], np.concatenate([*world.test(2)[:2]]).astype(float)]
    return lambda key: model.predict(images[key], 300)


def survey_networks(world: World) -> Call:
    """A line predicted in tiles, after lines of other lengths and strengths."""
    networks = SurveyNetworks(world.model, Members.FAST, 256, 300.0)

    def call(key: int) -> object:
        traces = np.concatenate([*world.test(key)[:2]], axis=1)[:, : 120 + 30 * key].T
        amplitude = np.ascontiguousarray(traces, np.float32) - 128
        numbers = np.arange(len(amplitude))
        line = Section("line", 0, amplitude, np.ones(amplitude.shape, bool), numbers, numbers)
        return networks.predict(line, Scale(ScaleOf.SURVEY, 128.0 / (key + 1), clip=0.5))

    return call


def plain_road(world: World) -> Call:
    return lambda key: predict_plainly(world.layout, world.params, [key, 5])


def ensemble(world: World) -> Call:
    snapshots = find_snapshots(world.layout, world.params)
    folds = load_table(world.layout.data("fold-split") / "folds.parquet")

    def call(key: int) -> object:
        images = np.roll(world.crops.test_images, key, axis=0)
        crops = dataclasses.replace(world.crops, test_images=images)
        return average(world.params, crops, folds, snapshots)

    return call


def image_reader(world: World) -> Call:
    crop = world.test(0)[0]
    paths = [world.folder / name for name in ("a.png", "b.tif", "c.npy")]
    Image.fromarray(crop).save(paths[0])
    Image.fromarray(crop.astype(np.uint16) * 257).save(paths[1])
    np.save(paths[2], crop / 7)
    return lambda key: read_image(paths[key])


def prediction_writer(world: World) -> Call:
    def call(key: int) -> object:
        image, folder = world.test(key)[0], world.folder / "written"
        write_prediction(folder, "a", image, image / np.float32(255), image > 99)
        return folder

    return call


def raw_reader(world: World) -> Call:
    folders = [world.folder / f"raw{key}" for key in KEYS]
    for key, folder in enumerate(folders):
        crops = world.crops
        turned = dataclasses.replace(crops, test_images=np.roll(crops.test_images, key, axis=2))
        write_kaggle_layout(folder, dataclasses.replace(world.survey, crops=turned))
    return lambda key: read_raw(folders[key], workers=0)


def crops_reader(world: World) -> Call:
    return lambda key: (load_crops(world.layout.data("ingest")), load_out_of_fold(world.layout))


def labelled(world: World) -> LabelledCrops:
    crops = world.crops
    return LabelledCrops(crops.train_images, crops.train_masks, depth(crops.train))


def batches(preset: str, world: World) -> Call:
    made = AugmentedBatches(labelled(world), 4, preset, 7, labelled(world), drawn=1)
    return lambda key: made[key % 2, key]


def loaded_batches(world: World) -> Call:
    made = AugmentedBatches(labelled(world), 8, "light", 7)
    return lambda key: [*load_batches(made, range(key, key + 2), workers=0)]


def divided_crops(world: World) -> Call:
    folds = load_table(world.layout.data("fold-split") / "folds.parquet")
    params = world.params
    sources = Sources(params, world.layout, world.crops, folds)
    return lambda key: sets_without(
        key % 2, params.train_per_fold.phases, sources, no_pseudolabels()
    )


def folds(world: World) -> Call:
    table = load_table(world.layout.data("coverage-stratify") / "crops.parquet")
    train = split_table(table, "train")
    strategies = ("coverage", "depth", "coverage_grouped")
    return lambda key: assign_folds(train, 2, strategies[key], 3)


def described_crops(world: World) -> Call:
    def call(key: int) -> object:
        turned = np.roll(world.crops.train_images, key, axis=2)
        crops = dataclasses.replace(world.crops, train_images=turned)
        return coverage.describe_crops(crops), mosaics.crop_neighbours(crops, 0.8, 0.6)

    return call


def pseudolabels(world: World) -> Call:
    table = load_table(world.layout.data("coverage-stratify") / "crops.parquet")
    test, wanted = split_table(table, "test"), world.params.pseudolabel

    def call(key: int) -> object:
        images = np.roll(world.crops.test_images, key, axis=0)
        probabilities = (images / 255).astype(np.float32)
        return select(test, probabilities, wanted, seed=key)

    return call


def chosen_masks(world: World) -> Call:
    truth = world.crops.train_masks

    def call(key: int) -> object:
        masks = salt_masks(world.probabilities(key), 0.3 + 0.1 * key)
        masks.flags.writeable = False
        sizes = [(0, 0), (10 * key, 20)]
        scores = precision(masks, truth), precision_by_sizes(masks, truth, sizes)
        return masks, clean(masks, 10 * key, 20), scores, rle.decode(rle.encode(masks))

    return call


def searched(world: World) -> Call:
    """Thresholds, sizes and intervals, as the stages choose them."""
    truth, grid = world.crops.train_masks, thresholds.threshold_grid(0.1, 0.9, 9)
    parts = np.arange(len(truth)) % 2

    def call(key: int) -> object:
        curve = precision_curve(world.probabilities(key), truth, grid)
        choice = thresholds.choose(curve, parts, partial(thresholds.best_threshold, grid=grid))
        limits = Thresholds(0.5, {0: 0.4, 1: 0.6})
        pairs = postprocess.size_pairs([0, 10], [0, 20])
        cleaning = postprocess.search_sizes(world.probabilities(key), truth, parts, limits, pairs)
        groups, draws = [str(n // 2) for n in range(len(truth))], generator(0, "interval", key)
        return choice, cleaning, bootstrap_interval(curve[:, 4], groups, 20, draws)

    return call


def submission(world: World) -> Call:
    ids = world.crops.test["id"].tolist()
    sample = world.layout.data("submit") / "sample_submission.csv"

    def call(key: int) -> object:
        path = world.folder / "submission.csv"
        return write_submission(path, sample, ids, world.crops.test_images > 50 * key), path

    return call


def networks(world: World) -> Call:
    definition = define_class_unet(blocks="residual")
    return lambda key: create_model(definition, key, None).state_dict()


def sections(world: World) -> Call:
    def call(key: int) -> object:
        made = make_section(2018, key)
        return made.amplitude, made.salt, made.columns, made.water

    return call


def surveys(world: World) -> Call:
    return lambda key: generate(train=2, test=1, seed=key, workers=0)


CHEAP: dict[str, Callable[[World], Call]] = {
    "predictor of class_unet": partial(predictor, define_class_unet(blocks="residual", filters=2)),
    "part": part,
    "model": salt_model,
    "model, any size": salt_model_on_any_size,
    "model, any kind": salt_model_of_any_kind,
    "served model": served_model,
    "loaded model": loaded_model,
    "survey networks": survey_networks,
    "image reader": image_reader,
    "prediction writer": prediction_writer,
    "crops reader": crops_reader,
    **{f"batches, {p}": partial(batches, p) for p in ("light", "place1_shear", "place9")},
    "loaded batches": loaded_batches,
    "divided crops": divided_crops,
    "folds": folds,
    "pseudo-labels": pseudolabels,
    "masks": chosen_masks,
    "searched": searched,
    "submission": submission,
    "networks": networks,
}

COSTLY: dict[str, Callable[[World], Call]] = {
    "predictor of the demo": partial(
        predictor, define_unet(encoder="tu-tf_efficientnet_lite0", hypercolumn="summed")
    ),
    "predictor of every part": partial(predictor, define_unet(**EVERYTHING)),
    "predictor of pyramid": partial(predictor, define_pyramid()),
    "plain road": plain_road,
    "ensemble": ensemble,
    "raw reader": raw_reader,
    "described crops": described_crops,
    "sections": sections,
    "surveys": surveys,
}


@pytest.fixture(scope="module")
def world(
    trained: Layout, small_survey: SurveySet, tmp_path_factory: pytest.TempPathFactory
) -> World:
    return World(trained, small_survey, tmp_path_factory.mktemp("repeated"))


@pytest.fixture(scope="module")
def call(request: pytest.FixtureRequest, world: World) -> Call:
    made: Call = request.param(world)
    return made


@pytest.fixture(scope="module")
def expected(call: Call) -> dict[int, str]:
    """What the first call for each key gave."""
    return {key: digest(call(key)) for key in KEYS}


def things(made: dict[str, Callable[[World], Call]]) -> Any:  # noqa: ANN401  # pytest's mark
    return pytest.mark.parametrize("call", made.values(), ids=made.keys(), indirect=True)


@things(CHEAP)
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.lists(st.sampled_from(KEYS), min_size=2, max_size=5))
def test_no_call_depends_on_those_before(
    call: Call, expected: dict[int, str], order: Sequence[int]
) -> None:
    assert [digest(call(key)) for key in order] == [expected[key] for key in order]


@things(COSTLY)
def test_no_costly_call_depends_on_those_before(call: Call) -> None:
    first, between, again = (digest(call(key)) for key in (0, 1, 0))
    assert again == first
    assert between != first


def test_a_difference_would_show() -> None:
    """The digest tells values, kinds, shapes and names apart."""
    array = np.zeros((2, 3), np.float32)
    values: list[object] = [
        array, array.T, array.astype(np.float64), array + np.float32(1e-6), [array], {"a": array},
        {"b": array}, torch.zeros(2, 3, 1), pd.DataFrame(array), "a", b"a", 1, 1.0, None, True,
    ]  # fmt: skip
    assert len({digest(value) for value in values}) == len(values)


def digest(value: object) -> str:
    """Hash a value by its bytes, whatever it is made of."""
    found = hashlib.sha256()
    for piece in pieces(value):
        found.update(piece + b"\0")
    return found.hexdigest()


def pieces(value: object) -> "list[bytes]":
    kind = type(value).__name__.encode()
    if isinstance(value, torch.Tensor):
        return [kind, *pieces(value.numpy())]
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return [kind, *pieces(value.tolist())]
        return [kind, str((value.dtype, value.shape)).encode(), value.tobytes()]
    if isinstance(value, pd.DataFrame | pd.Series):
        return [kind, *pieces(value.reset_index().to_dict("list"))]
    if isinstance(value, Path):
        files = sorted(value.rglob("*")) if value.is_dir() else [value]
        return [kind, *(part for file in files for part in (file.name.encode(), file.read_bytes()))]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return [kind, *pieces({name: getattr(value, name) for name in names})]
    if isinstance(value, Mapping):
        return [kind, *pieces(list(value.items()))]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [kind, *(part for item in value for part in (b"(", *pieces(item), b")"))]
    return [kind, repr(value).encode()]
