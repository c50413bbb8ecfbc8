from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from saltseg.plumbing.errors import InputError
from saltseg.serving.image_files import check_names, read_image, write_prediction
from tests.helpers.pictures import coloured, read

RAMP: npt.NDArray[np.uint8] = np.arange(240, dtype=np.uint8).reshape(12, 20)


def saved(path: Path, pixels: npt.NDArray[np.generic], mode: str | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.TIF", "a.tiff"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_grey_pictures_of_eight_bits(tmp_path: Path, name: str, mode: str) -> None:
    if mode == "P" and name == "a.png":
        picture = Image.fromarray(RAMP).quantize(256)
        picture.save(tmp_path / name)
        assert read_image(tmp_path / name).shape == RAMP.shape
        return
    found = read_image(saved(tmp_path / name, RAMP, mode))
    np.testing.assert_array_equal(found, RAMP)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_keep_all_their_values(tmp_path: Path, name: str) -> None:
    pixels = RAMP.astype(np.uint16) * 257
    np.testing.assert_array_equal(read_image(saved(tmp_path / name, pixels)), pixels)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float16, np.float32, np.float64])
def test_arrays(tmp_path: Path, kind: type[np.generic]) -> None:
    np.save(tmp_path / "a.npy", RAMP.astype(kind))
    found = read_image(tmp_path / "a.npy")
    assert found.dtype == kind
    np.testing.assert_array_equal(found, RAMP.astype(kind))


def wrong_files(folder: Path) -> dict[str, Path]:
    coloured = np.stack([RAMP, RAMP, RAMP], axis=2)
    coloured[2, 3, 1] += 1
    holed = RAMP.astype(np.float32)
    holed[4, 5] = np.nan
    arrays: dict[str, npt.NDArray[Any]] = {
        "holed": holed,
        "cube": np.zeros((3, 4, 5)),
        "empty": np.zeros((0, 5)),
        "complex": np.zeros((3, 4), complex),
        "objects": np.array([[None]]),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=True)
    (folder / "cut.npy").write_bytes((folder / "cube.npy").read_bytes()[:-9])
    (folder / "nothing.npy").write_bytes(b"")
    (folder / "text.png").write_text("no image")
    (folder / "line.sgy").write_text("x")
    noise = np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8)
    whole = saved(folder / "whole.png", noise)
    (folder / "half.png").write_bytes(whole.read_bytes()[:5000])
    pages = [Image.fromarray(RAMP)] * 2
    pages[0].save(folder / "pages.tif", save_all=True, append_images=pages[1:])
    return {
        r"it is in colour: row 2, column 3 is \[43, 44, 43\]": saved(folder / "c.png", coloured),
        "1 values are not finite, the first at row 4, column 5: nan": folder / "holed.npy",
        r"has shape \(3, 4, 5\)": folder / "cube.npy",
        r"has shape \(0, 5\)": folder / "empty.npy",
        "its numbers are complex128": folder / "complex.npy",
        "pickle": folder / "objects.npy",
        "cannot be read as an image .*Failed to read all data": folder / "cut.npy",
        "cannot be read as an image .*No data": folder / "nothing.npy",
        "cannot identify": folder / "text.png",
        "cannot be read as an image": folder / "half.png",
        "it holds 2 images": folder / "pages.tif",
        r"is none of \.png": folder / "line.sgy",
        "there is no such file": folder / "gone.png",
        "is a directory": folder / "folder.png",
    }


def test_wrong_files_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for reason, path in wrong_files(tmp_path).items():
        with pytest.raises(InputError, match=f"(?i){reason}") as caught:
            read_image(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_equal_names_are_refused_before_they_overwrite_each_other() -> None:
    check_names([Path("a/x.png"), Path("a/y.png")])
    with pytest.raises(InputError, match=r"a/x\.png, b/x\.npy: their results"):
        check_names([Path("a/x.png"), Path("b/x.npy"), Path("y.png")])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, 7.0, 1e300])
def test_an_overlay_of_equal_values(tmp_path: Path, value: float) -> None:
    image = np.full((20, 30), value)
    image[0, 0] += value  # a single spike, beyond the percentiles
    mask = np.zeros(image.shape, bool)
    write_prediction(tmp_path, "a", image, np.zeros(image.shape, np.float32), mask)
    shown = np.asarray(Image.open(tmp_path / "a_overlay.png").convert("RGB"))
    assert (shown[100:200, 100:400] == 0).all()


def test_what_is_written(tmp_path: Path) -> None:
    image = np.random.default_rng(1).normal(size=(30, 40)).astype(np.float32)
    mask = np.zeros((30, 40), bool)
    mask[10:20, 5:25] = True
    probabilities = mask * np.float32(0.9)
    write_prediction(tmp_path / "new", "a", image, probabilities, mask)
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {"a_mask.png", "a_probability.npy", "a_overlay.png"}
    written = np.asarray(Image.open(tmp_path / "new/a_mask.png"))
    np.testing.assert_array_equal(written, mask * np.uint8(255))
    np.testing.assert_array_equal(np.load(tmp_path / "new/a_probability.npy"), probabilities)
    shown = coloured(read(tmp_path / "new/a_overlay.png")[60 : 60 + 390, 70 : 70 + 520])
    assert shown[135:255, 70:320].all() and not shown[5:120, 5:-5].any()
    assert not shown[270:-5, 5:-5].any()
