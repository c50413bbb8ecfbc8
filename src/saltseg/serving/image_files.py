"""Reading users' grey images, and writing predictions."""

import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from saltseg.inference.tiles import from_lowest, to_eight_bits
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import whole_file, write_array
from saltseg.reports.section_figure import SectionPicture, draw_section
from saltseg.serving.image_headers import MOST_PIXELS, check_image_file, check_npy, check_size

Pixels = npt.NDArray[Any]

_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow and numpy raise for damaged files."""

_SHOWN = (1, 99)
"""Percentiles between which an overlay shows an image that is not 8-bit."""


def read_image(path: Path) -> Pixels:
    """Read one grey image, shape (h, w): PNG or TIFF of 8 or 16 bits, or .npy of real numbers.

    A PNG or TIFF in colour is accepted if its channels are equal; transparency is ignored.
    Raises InputError if it is missing, damaged, of another format than its name says, larger
    than image_headers.MOST_PIXELS, in colour, not two-dimensional, or not finite.
    """
    kind = check_image_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about what is rejected anyway or harmless
            pixels = _read_npy(path) if kind == "npy" else _read_picture(path, kind)
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{path}: has more than {MOST_PIXELS:,} pixels; cut it into parts"
        ) from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: cannot be read as an image ({reason}); save it again") from error
    _check_finite(path, pixels)
    return pixels


def check_names(paths: Sequence[Path]) -> None:
    """Raise InputError if two images would write results of the same name."""
    counts = Counter(path.stem for path in paths)
    twice = [str(path) for path in paths if counts[path.stem] > 1]
    if twice:
        raise InputError(
            f"{first_few(twice)}: their results would have the same names; predict them into"
            " folders of their own"
        )


def prediction_names(stem: str) -> tuple[str, str, str]:
    """Return the names of the files that `write_prediction` writes for an image."""
    return f"{stem}_probability.npy", f"{stem}_mask.png", f"{stem}_overlay.png"


def write_prediction(
    folder: Path,
    stem: str,
    image: Pixels,
    probabilities: npt.NDArray[np.float32],
    mask: npt.NDArray[np.bool_],
) -> None:
    """Write STEM_mask.png, STEM_probability.npy and STEM_overlay.png, each whole or not at all.

    The mask has 8 bits, 0 and 255; the probabilities are float32 (h, w); the overlay shows the
    image under the translucent mask, with a legend, and the probabilities below it.
    """
    numbers, black_and_white, picture = (folder / name for name in prediction_names(stem))
    write_array(numbers, probabilities)
    with whole_file(black_and_white) as temporary:
        Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(temporary)
    shown = SectionPicture(_shown(image), mask, probabilities)
    draw_section(picture, shown)


def _read_npy(path: Path) -> Pixels:
    check_npy(path)
    pixels: Pixels = np.load(path, allow_pickle=False)
    return pixels


def _read_picture(path: Path, kind: str) -> Pixels:
    with Image.open(path, formats=[kind]) as picture:
        check_size(path, picture.height, picture.width)
        if getattr(picture, "n_frames", 1) > 1:
            raise ValueError(f"it holds {getattr(picture, 'n_frames', 1)} images, not one")
        by_palette = picture.mode in ("1", "P", "PA")
        pixels = np.asarray(picture.convert("RGBA") if by_palette else picture)
        if by_palette or picture.mode in ("LA", "RGBA"):
            pixels = pixels[..., :-1]
    if pixels.ndim == 3:
        unequal = np.flatnonzero((pixels != pixels[..., :1]).any(axis=2))
        if len(unequal):
            row, column = divmod(int(unequal[0]), pixels.shape[1])
            colour = pixels[row, column].tolist()
            raise ValueError(f"it is in colour: row {row}, column {column} is {colour}")
        pixels = pixels[..., 0]
    return pixels


def _check_finite(path: Path, pixels: Pixels) -> None:
    wrong = np.flatnonzero(~np.isfinite(pixels))
    if len(wrong):
        row, column = divmod(int(wrong[0]), pixels.shape[1])
        raise InputError(
            f"{path}: {len(wrong):,} values are not finite, the first at row {row}, column"
            f" {column}: {pixels[row, column]}; replace them"
        )


def _shown(image: Pixels) -> npt.NDArray[np.uint8]:
    """Return the image for the overlay: 8 bits unchanged, others scaled between percentiles."""
    if image.dtype == np.uint8:
        return image
    lifted = from_lowest(image)
    return to_eight_bits(np.clip(lifted, *np.percentile(lifted, _SHOWN)))
