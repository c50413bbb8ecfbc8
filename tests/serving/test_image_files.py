import os
import shutil
import socket
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFile

from saltseg.inference.tiles import to_eight_bits
from saltseg.plumbing.errors import InputError
from saltseg.seismic.images import read_image
from saltseg.serving.image_files import check_names, write_prediction
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
        "its numbers are object": folder / "objects.npy",
        r"shape \(3, 4, 5\); give": folder / "cut.npy",
        "is empty; save it again": folder / "nothing.npy",
        "is not an image by its content, not PNG as its name says": folder / "text.png",
        "cannot be read as an image": folder / "half.png",
        "it holds 2 images": folder / "pages.tif",
        r"is not one of \.png": folder / "line.sgy",
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


def with_size(png: bytes, width: int, height: int) -> bytes:
    """Let a PNG's header say another size, with the right checksum."""
    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16"])
@pytest.mark.parametrize(
    ("width", "height"),
    [
        (20_000, 20_000),
        (100_000, 100_000),
        (2**31 - 1, 2**31 - 1),
        (10_001, 10_000),
        (2_000_000, 1),
    ],
)
def test_large_pictures_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, width: int, height: int
) -> None:
    path = tmp_path / "a.png"
    pixels = RAMP.astype(np.uint16) if mode == "I;16" else RAMP
    saved(path, pixels, None if mode == "I;16" else mode)
    path.write_bytes(with_size(path.read_bytes(), width, height))
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)  # what decodes
    with pytest.raises(InputError, match=r"a\.png: has .*more than 100,000,000 pixels.*; cut it"):
        read_image(path)


def test_a_large_tiff_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.tif", RAMP)
    side = struct.pack("<HHII", 256, 4, 1, 2_000_000)
    content = path.read_bytes()
    place = content.index(struct.pack("<HHI", 256, 4, 1))
    path.write_bytes(content[:place] + side + content[place + 12 :])
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    with pytest.raises(InputError, match="has 12 rows and 2,000,000 columns"):
        read_image(path)


def npy(descr: object, shape: object, data: bytes = b"", version: int = 1) -> bytes:
    """Return a .npy file whose header says what it likes."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy("<f8", (10**6, 10**6)), "has 1,000,000 rows and 1,000,000 columns, more than"),
        (npy("<f8", (10**30, 10**30)), "rows and .* columns, more than"),
        (npy("<f8", (9999, 9999)), "holds 0 bytes of the 799,840,008 that its header names"),
        (npy("<f8", (4, -1)), r"has shape \(4, -1\)"),
        (npy("<f8", (4, "x")), "cannot be read as an image"),
        (npy("|O", (4, 4), b"cposix\nsystem\n"), "its numbers are object"),
        (npy("<U4", (4, 4), bytes(256)), "its numbers are <U4"),
        (npy("<f16", (4, 4), bytes(256)), "its numbers are float128, not integers or floats of up"),
        (npy("<c8", (4, 4), bytes(256)), "its numbers are complex64"),
        (npy("|b1", (4, 4), bytes(16)), "its numbers are bool"),
        (npy("<M8[s]", (4, 4), bytes(128)), "its numbers are datetime64"),
        (npy([("a", "<f4")], (4, 4), bytes(64)), r"its numbers are \[\('a', '<f4'\)\]"),
        (npy(("<f4", (10**9,)), (4, 4)), "cannot be read as an image"),
        (npy("(((((((", (4, 4)), "cannot be read as an image"),
        (npy("<f8", (4, 4), bytes(128), version=9), "cannot be read as an image"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "cannot be read as an image"),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10000, "cannot be read as an image"),
        (b"\x93NUMPY", "cannot be read as an image"),
        (b"PK\x03\x04" + bytes(30), "is a zip by its content, not npy"),
        (b"\x80\x04K\x01.", "is not an image by its content, not npy"),
    ],
)
def test_headers_of_arrays_are_read_before_their_data(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.npy: {said}|a\.npy: .*{said}") as caught:
        read_image(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("JPEG", "JPEG"),
        ("BMP", "BMP"),
        ("GIF", "GIF"),
        ("EPS", "PostScript"),
        ("PDF", "PDF"),
        ("WEBP", "WebP"),
        ("TIFF", "TIFF"),
        ("JPEG2000", "JPEG 2000"),
    ],
)
def test_other_formats_under_the_name_of_one_that_is_read(
    tmp_path: Path, kind: str, said: str
) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png", format=kind)
    with pytest.raises(
        InputError, match=rf"is {said} by its content, not PNG as its name says; con"
    ):
        read_image(tmp_path / "a.png")


def test_a_png_under_another_name(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", RAMP)
    for name, wanted in (("a.tif", "TIFF"), ("a.npy", "npy")):
        shutil.copy(tmp_path / "a.png", tmp_path / name)
        with pytest.raises(InputError, match=f"is PNG by its content, not {wanted} as its name"):
            read_image(tmp_path / name)


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("/dev/zero")
    (tmp_path / "c.png").symlink_to("c.png")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(tmp_path / "d.png"))
        for name in ("a.png", "b.png", "d.png"):
            with pytest.raises(InputError, match="is a pipe, socket or device, not a regular file"):
                read_image(tmp_path / name)
    with pytest.raises(InputError, match=r"c\.png: cannot be read: Too many levels"):
        read_image(tmp_path / "c.png")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_no_damage_is_a_traceback(tmp_path: Path, name: str) -> None:
    """Every image with some bytes changed is read or refused, twice alike."""
    path = tmp_path / name
    if name == "a.npy":
        np.save(path, RAMP.astype(np.float32))
    else:
        saved(path, RAMP)
    whole, random = path.read_bytes(), np.random.default_rng(1)
    for _ in range(300):
        content = bytearray(whole)
        for place in random.integers(0, len(whole), random.integers(1, 5)):
            content[place] = random.integers(0, 256)
        path.write_bytes(content[: random.integers(1, len(whole) + 1)])
        found = [outcome(path) for _ in range(2)]
        assert found[0] == found[1]


def outcome(path: Path) -> str | bytes:
    try:
        return read_image(path).tobytes()
    except InputError as error:
        assert "\n" not in str(error)
        return str(error)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "values",
    [
        [-1.7e308, 0.0, 1.7e308],
        [1.6e308, 1.65e308, 1.7e308],
        [0.0, 5e-324, 1e-323],
        [1e-310, 2e-310, 3e-310],
        [-1e-300, 0.0, 1e-300],
    ],
)
def test_the_largest_and_smallest_floats_are_scaled_like_others(
    tmp_path: Path, values: list[float]
) -> None:
    np.save(tmp_path / "a.npy", np.array([values] * 3))
    image = read_image(tmp_path / "a.npy")
    np.testing.assert_array_equal(to_eight_bits(image), [[0, 128, 255]] * 3)
    write_prediction(
        tmp_path, "a", image, np.zeros(image.shape, np.float32), np.zeros(image.shape, bool)
    )
    assert np.ptp(np.asarray(Image.open(tmp_path / "a_overlay.png"))) > 200


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
