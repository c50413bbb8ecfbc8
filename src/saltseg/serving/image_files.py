"""What is predicted on images, as files."""

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

Pixels = npt.NDArray[Any]

_SHOWN = (1, 99)
"""Percentiles between which an overlay shows an image that is not 8-bit."""


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


def _shown(image: Pixels) -> npt.NDArray[np.uint8]:
    """Return the image for the overlay: 8 bits unchanged, others scaled between percentiles."""
    if image.dtype == np.uint8:
        return image
    lifted = from_lowest(image)
    return to_eight_bits(np.clip(lifted, *np.percentile(lifted, _SHOWN)))
