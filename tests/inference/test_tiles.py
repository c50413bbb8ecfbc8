from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from saltseg.config.model_definitions import CROP
from saltseg.config.params import Params
from saltseg.crops.crop_set import CropSet
from saltseg.inference.predictor import predict_all
from saltseg.inference.tiles import predict_tiles, tile_starts, to_eight_bits
from saltseg.models import create_model
from saltseg.models.devices import create_fabric
from saltseg.survey.sections import make_section
from tests.helpers.trained import sharpened

Predict = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]


@pytest.fixture
def predict(shrunk_params: Params) -> Predict:
    """A real network of two filters."""
    fabric = create_fabric(shrunk_params.runtime)
    made = create_model(shrunk_params.models["class_unet"], 1, None)
    made.load_state_dict(sharpened(made.state_dict()))
    network = fabric.setup_module(made)

    def _predict(tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return predict_all(network, tiles, np.zeros(len(tiles), np.float32), fabric, flip=True)

    return _predict


@pytest.mark.parametrize("length", [101, 102, 150, 151, 152, 540, 606, 1000])
def test_tiles_reach_from_end_to_end_and_overlap_by_half(length: int) -> None:
    starts = tile_starts(length)
    assert (starts[0], starts[-1]) == (0, length - CROP)
    assert all(0 < second - first <= CROP / 2 for first, second in pairwise(starts))
    assert len(starts) <= (length - CROP) // (CROP // 2) + 2


def test_a_tile_uses_all_of_eight_bits_whatever_its_scale(small_crops: CropSet) -> None:
    crop = small_crops.test_images[0]
    full = to_eight_bits(crop)
    assert (full.min(), full.max(), full.dtype) == (0, 255, np.uint8)
    for other in (full * 257.0 - 3e4, full.astype(np.uint16) * 200, full.astype(np.float32) / 255):
        np.testing.assert_array_equal(to_eight_bits(other), full)
    assert not to_eight_bits(np.full((3, 3), 7.5)).any()
    wide = np.array([[2**62, 2**62 + 2, 2**62 + 4]])
    assert to_eight_bits(wide).tolist() == [[0, 128, 255]]  # not before 64 bits are subtracted
    assert to_eight_bits(np.array([[-(2**63), 2**63 - 1]])).tolist() == [[0, 255]]
    extremes = np.array([[-(2**15), 2**15 - 1]], np.int16)
    assert to_eight_bits(extremes).tolist() == [[0, 255]]


def test_one_tile_is_the_network_s_own_prediction(predict: Predict, small_crops: CropSet) -> None:
    crop = to_eight_bits(small_crops.test_images[0])
    np.testing.assert_array_equal(predict_tiles(crop, predict), predict(crop[None])[0])


@pytest.mark.parametrize("shape", [(1, 1), (40, 300), (101, 7), (250, 130)])
def test_any_shape_comes_back(predict: Predict, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    found = predict_tiles(image, predict)
    assert (found.shape, found.dtype) == (shape, np.float32)
    assert found.min() >= 0 and found.max() <= 1


def test_a_section_without_seams(predict: Predict) -> None:
    """Across tiles' borders the map changes no more than anywhere else."""
    section = make_section(2018, 1).amplitude
    found = predict_tiles(section, predict)
    assert found.shape == section.shape
    np.testing.assert_array_equal(found, predict_tiles(section, predict))
    steps = np.abs(np.diff(found, axis=1)).mean(axis=0)
    borders = [start - 1 for start in tile_starts(section.shape[1])[1:]]
    assert steps[borders].mean() < 1.5 * np.median(steps)


def test_progress_counts_tiles(predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    predict_tiles(np.eye(101, 152), predict, "line 7")
    assert "line 7: 3 done" in capsys.readouterr().err
