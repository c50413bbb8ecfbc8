"""What the served model takes and refuses; tests/tracking serves it for real."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.project.model_folder import find_model
from saltseg.serving.salt_model import SaltModel
from saltseg.serving.served_model import MOST_PIXELS, ServedModel, _load_pyfunc

GREY = np.random.default_rng(0).integers(0, 256, (2, 101, 101)).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(trained: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_model(trained, folder)
    return find_model(folder)


@pytest.fixture(scope="module")
def model(folder: Path) -> ServedModel:
    return ServedModel(SaltModel(folder), MOST_PIXELS)


@pytest.mark.parametrize(
    "images", [GREY.astype(np.int64), GREY.tolist(), GREY.astype(np.uint16), GREY.astype(">i4")]
)
def test_whole_numbers_of_any_type_are_the_same(model: ServedModel, images: object) -> None:
    expected, found = model.predict(GREY), model.predict(images)
    for name in ("probabilities", "masks"):
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (GREY / 255, "hold floats, such as 0"),
        (GREY.astype(np.float64), "hold floats, such as"),
        ((GREY / 255).tolist(), "hold floats, such as 0"),
        (np.full((1, 101, 101), np.nan), "hold floats, such as nan"),
        (GREY > 127, "hold booleans, such as"),
        (GREY.astype(str), "hold strings, such as"),
        (GREY.astype(str).tolist(), "hold strings, such as"),
        ([[[None, 1]]], "hold values of type object, such as None"),
        (GREY.astype(complex), "hold values of type complex128"),
        (GREY.astype(np.int64) - 300, "hold -300"),
        (GREY.astype(np.uint16) * 257, "hold 65535"),
        (GREY[0], r"have shape \(101, 101\)"),
        (GREY[None], r"have shape \(1, 2, 101, 101\)"),
        ([], r"have shape \(0,\)"),
        (np.zeros((0, 101, 101), np.uint8), r"have shape \(0, 101, 101\)"),
        ([[[1, 2], [3]]], "are of different sizes"),
        ({"a": GREY}, "are a dict"),
        (pd.DataFrame(GREY[0]), "are a DataFrame"),
        ("GREY", "are a str"),
        (None, "are a NoneType"),
    ],
)
def test_other_types_are_refused_with_what_is_expected(
    model: ServedModel, images: object, said: str
) -> None:
    with pytest.raises(
        InputError, match=rf"^images: {said}.*; give whole numbers from 0 to 255 of"
    ):
        model.predict(images)


@pytest.mark.parametrize("shape", [(1, 3000, 3000), (1, 1001, 1000), (99, 101, 101)])
def test_large_requests_are_refused_by_a_server(model: ServedModel, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="more than the 1,000,000 of a request; send fewer images"):
        model.predict(np.zeros(shape, np.uint8))


def test_the_limit_holds_in_a_server_and_not_in_python(folder: Path) -> None:
    assert _load_pyfunc(str(folder)).most_pixels is None


@pytest.mark.parametrize(
    "depth", [[float("nan")], [float("inf")], [-1.0], [1e9], [None], ["3"], [True], [3.0, np.nan]]
)
def test_depths_that_are_none(model: ServedModel, depth: list[Any]) -> None:
    with pytest.raises(InputError, match=r"depth: .* is not a depth; give feet from 0 to 100,000"):
        model.predict(GREY, {"depth": depth})
