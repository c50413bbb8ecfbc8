"""A folder of images: from the files to the arrays by plain loops, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from saltseg.config.own import Own
from saltseg.crops.crop_set import NO_DEPTH
from saltseg.own.own_set import read_own
from saltseg.plumbing.errors import InputError
from tests.helpers.own_data import make_images, write_image_folder


def test_crops_by_plain_loops(tmp_path: Path) -> None:
    """The slow way: every place of every image, pixel by pixel, scaled by hand."""
    pairs = make_images(3, (150, 205))
    write_image_folder(tmp_path, pairs, unlabelled=2)

    crops, counts = read_own(tmp_path, Own(empty_share=1), 1)

    expected = {}
    for number, (image, mask) in enumerate(pairs):
        for top in (0, 49):
            for left in (0, 34, 69, 104):
                tile = image[top : top + 101, left : left + 101].astype(float)
                low, high = tile.min(), tile.max()
                grey = np.rint((tile - low) * (255 / (high - low)))
                salt = mask[top : top + 101, left : left + 101]
                expected[f"line{number}_{top:04d}_{left:04d}"] = grey, salt
    assert crops.train["id"].tolist() == sorted(expected)
    for row, name in enumerate(crops.train["id"]):
        np.testing.assert_array_equal(crops.train_images[row], expected[name][0])
        np.testing.assert_array_equal(crops.train_masks[row], expected[name][1])
    assert crops.train["mosaic"].tolist() == [name[:5] for name in crops.train["id"]]
    assert (crops.table["depth"] == NO_DEPTH).all()
    assert len(crops.test) == 16 and crops.test["mosaic"].nunique() == 2
    assert (counts.labelled_sections, counts.unlabelled_crops) == (3, 16)


def test_the_same_again_whatever_form_the_files_have(tmp_path: Path) -> None:
    pairs = make_images(3, (120, 120))
    folders = [tmp_path / name for name in ("apart", "beside", "arrays")]
    write_image_folder(folders[0], pairs)
    folders[1].mkdir()
    for number, (image, mask) in enumerate(pairs):
        Image.fromarray(image).save(folders[1] / f"line{number}.tif")
        Image.fromarray(mask).save(folders[1] / f"line{number}_mask.png")
        for kind, pixels in (("images", image), ("masks", mask)):
            (folders[2] / kind).mkdir(parents=True, exist_ok=True)
            np.save(folders[2] / kind / f"line{number}.npy", pixels)

    first, *others = [read_own(folder, Own(), 1)[0] for folder in (folders[0], *folders)]

    for other in others:
        pd.testing.assert_frame_equal(first.table, other.table)
        assert first.train_images.tobytes() == other.train_images.tobytes()
        assert first.train_masks.tobytes() == other.train_masks.tobytes()


def test_nan_in_a_mask_is_not_interpreted(tmp_path: Path) -> None:
    image, mask = make_images(2, (101, 300))[1]
    write_image_folder(tmp_path, [(image, mask)])
    (tmp_path / "masks" / "line0.png").unlink()
    marks = mask.astype(np.float32)
    marks[:, :130] = np.nan
    np.save(tmp_path / "masks" / "line0.npy", marks)

    crops, _ = read_own(tmp_path, Own(overlap="none", empty_share=1), 1)

    assert crops.train["id"].tolist() == ["line0_0000_0130"]
    np.testing.assert_array_equal(crops.train_masks[0], mask[:, 130:231])


def test_depths_are_joined_by_name(tmp_path: Path) -> None:
    write_image_folder(tmp_path, make_images(2, (101, 101)))
    (tmp_path / "depths.csv").write_text("id,z\nline1,700\n")

    crops, _ = read_own(tmp_path, Own(empty_share=1), 1)

    assert crops.train["depth"].tolist() == [NO_DEPTH, 700]


def test_images_scaled_together(tmp_path: Path) -> None:
    pairs = make_images(2, (120, 120))
    write_image_folder(tmp_path, [(image // 4 + 8, mask) for image, mask in pairs])

    crops, _ = read_own(tmp_path, Own(scale="survey", empty_share=1), 1)

    values = np.concatenate([(image // 4 + 8).ravel() for image, _ in pairs]).astype(float)
    low, high = np.percentile(values, (1, 99))
    tile = (pairs[0][0] // 4 + 8)[:101, :101].astype(float)
    expected = np.rint(255 * ((tile - low) / (high - low)).clip(0, 1))
    np.testing.assert_array_equal(crops.train_images[0], expected)


def _three_values(folder: Path) -> None:
    grey = np.zeros((120, 120), np.uint8)
    grey[:5], grey[5:9] = 128, 255
    Image.fromarray(grey).save(folder / "masks" / "line0.png")


def _small(folder: Path) -> None:
    for kind in ("images", "masks"):
        Image.new("L", (90, 120)).save(folder / kind / "line0.png")


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "mask missing": (
        lambda folder: (folder / "masks" / "line1.png").unlink(),
        r": image without a mask, 1 of 3: line1; add masks/NAME.png, or move the image to unlab",
    ),
    "image missing": (
        lambda folder: (folder / "images" / "line1.png").unlink(),
        r": mask without an image, 1 of 3: line1; add the image, or remove it",
    ),
    "another size": (
        lambda folder: Image.new("L", (120, 119)).save(folder / "masks" / "line0.png"),
        r"line0\.png: has 119 rows and 120 columns, and line0\.png has 120 rows and 120 columns",
    ),
    "three values": (_three_values, r"line0\.png: has more than two values \(0, 128, 255\)"),
    "too small": (_small, r"line0\.png: has 120 rows and 90 columns; give images of 101 x 101"),
    "no image": (
        lambda folder: (folder / "images" / "notes.txt").write_text("x"),
        r"images: file that is no image, 1 of 4: notes\.txt",
    ),
    "a name that is no id": (
        lambda folder: (folder / "images" / "line0.png").rename(folder / "images" / "line 0.png"),
        r"id that cannot be used, 1 of 3: 'line 0' \(has ' '\)",
    ),
    "one name twice": (
        lambda folder: np.save(folder / "images" / "line0.npy", np.zeros((120, 120))),
        r"images: line0\.npy and another file have one name",
    ),
    "labelled and not": (
        lambda folder: (folder / "unlabelled" / "line0.png").write_bytes(
            (folder / "images" / "line0.png").read_bytes()
        ),
        r"image that is in unlabelled too, 1 of 3: line0",
    ),
    "a depth of nothing": (
        lambda folder: (folder / "depths.csv").write_text("id,z\nline9,1\n"),
        r"depths\.csv: id without an image, 1 of 1: line9",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_folders_are_told_in_one_line(tmp_path: Path, case: str) -> None:
    write_image_folder(tmp_path, make_images(3, (120, 120)), unlabelled=1)
    spoil, message = WRONG[case]
    spoil(tmp_path)
    with pytest.raises(InputError) as caught:
        read_own(tmp_path, Own(), 1)
    assert re.search(message, str(caught.value)) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_what_means_nothing_for_images(tmp_path: Path) -> None:
    write_image_folder(tmp_path, make_images(2, (101, 101)))
    with pytest.raises(InputError, match=r"params\.yaml: ingest\.own\.gap: means nothing for the"):
        read_own(tmp_path, Own(gap=3), 1)


def test_folders_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no such folder; name one as ingest\.raw"):
        read_own(tmp_path / "none", Own(), 1)
    with pytest.raises(InputError, match="holds no images and no survey; put in images/"):
        read_own(tmp_path, Own(), 1)
