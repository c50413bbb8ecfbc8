"""The model as MLflow loads it: `mlflow.pyfunc.load_model` and `mlflow models serve` come here.

MLflow puts the code logged with a model first on Python's path, so that a fresh process predicts
with the code that trained it. That fails if saltseg has already been imported.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import saltseg
from saltseg.plumbing.errors import InputError
from saltseg.project.lineage import code_digest
from saltseg.project.model_folder import read_settings
from saltseg.serving.depths import checked_depths
from saltseg.serving.salt_model import SaltModel

MOST_PIXELS = 1_000_000
"""Pixels of one request to a server: other requests wait, and MLflow times out in a minute."""

Found = dict[str, npt.NDArray[Any]]

_SERVER = "mlflow.pyfunc.scoring_server.app"
"""The module that `mlflow models serve` runs; nothing else imports it."""

_EXPECTED = "give whole numbers from 0 to 255 of shape (images, rows, columns)"


class ServedModel:
    """The model in MLflow's pyfunc interface."""

    def __init__(self, model: SaltModel, most_pixels: int | None = None) -> None:
        """Serve a loaded model. most_pixels: limit for one call; None for no limit."""
        self.model = model
        self.most_pixels = most_pixels

    def predict(self, images: object, params: dict[str, Any] | None = None) -> Found:
        """Return `probabilities`, float32, and `masks`, bool, both shape (n, h, w).

        images: whole numbers 0 to 255 (n, h, w), as an array or lists; see
        SaltModel.predict_image for sizes other than 101 x 101.
        params: `depth`, in feet: none, one for all images, or one per image.
        Raises InputError for other types, values or shapes, for too many pixels, and for invalid
        depths or a wrong number of them.
        """
        checked = _checked(images, self.most_pixels)
        depths = checked_depths((params or {}).get("depth"), len(checked))
        found = self.model.predict_images(checked, depths)
        return {"probabilities": found.probabilities, "masks": found.masks}


def _checked(images: object, most_pixels: int | None) -> npt.NDArray[np.uint8]:
    """Return `images` as uint8 (n, h, w); values are neither rounded nor clipped."""
    if not isinstance(images, np.ndarray | list | tuple):
        raise InputError(f"images: are a {type(images).__name__}; {_EXPECTED}")
    try:
        array = np.asarray(images)
    except ValueError as error:
        raise InputError(f"images: are of different sizes; {_EXPECTED}") from error
    if array.ndim != 3 or 0 in array.shape:
        raise InputError(f"images: have shape {array.shape}; {_EXPECTED}")
    if most_pixels is not None and array.size > most_pixels:
        raise InputError(
            f"images: are {array.size:,} pixels, more than the {most_pixels:,} of a request; send"
            " fewer images or parts of them, or run saltseg predict on files"
        )
    if array.dtype.kind not in "ui":
        kinds = {"f": "floats", "b": "booleans", "U": "strings", "S": "strings"}
        kind = kinds.get(array.dtype.kind, f"values of type {array.dtype}")
        raise InputError(f"images: hold {kind}, such as {array.flat[0]!s:.20}; {_EXPECTED}")
    for value in (int(array.min()), int(array.max())):
        if not 0 <= value <= 255:
            raise InputError(f"images: hold {value}; {_EXPECTED}")
    return array.astype(np.uint8)


def _load_pyfunc(path: str) -> ServedModel:
    """Load the model in the folder `path`; the name is MLflow's.

    Raises InputError if other code than the model's would predict, or the folder is damaged.
    """
    folder = Path(path)
    if read_settings(folder, "code")["code"] != code_digest():
        place = Path(saltseg.__file__).parent
        raise InputError(
            f"{folder}: this model predicts with its own code, but saltseg was imported from "
            f"{place} before; load it in a process that has not imported saltseg"
        )
    return ServedModel(SaltModel(folder), MOST_PIXELS if _SERVER in sys.modules else None)
