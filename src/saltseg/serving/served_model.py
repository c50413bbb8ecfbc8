"""The model as MLflow loads it: `mlflow.pyfunc.load_model` and `mlflow models serve` come here.

MLflow puts the code that was logged with a model before all other code on Python's path, so that a
fresh process predicts with the code that trained it. It can't where saltseg is imported already.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import saltseg
from saltseg.config.model_definitions import CROP
from saltseg.plumbing.errors import InputError
from saltseg.project.lineage import code_digest
from saltseg.project.model_folder import read_settings
from saltseg.serving.salt_model import SaltModel


class ServedModel:
    """What MLflow calls, with its manner of arguments."""

    def __init__(self, model: SaltModel) -> None:
        """Serve a loaded model."""
        self.model = model

    def predict(
        self, images: npt.NDArray[np.uint8], params: dict[str, Any] | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Return `probabilities`, float32, and `masks`, bool, both shape (n, h, w).

        images: uint8 (n, h, w); see SaltModel.predict_image for sizes other than 101 x 101.
        params: `depth`, in feet: none, one for all images, or one an image.
        Raises InputError where the depths are of another number.
        """
        depths = _depths((params or {}).get("depth"), len(images))
        if images.shape[1:] == (CROP, CROP):
            crops = self.model.predict(images, depths)
            return {"probabilities": crops.probabilities, "masks": crops.masks}
        each = [None] * len(images) if depths is None else [float(depth) for depth in depths]
        pairs = zip(images, each, strict=True)
        found = [self.model.predict_image(image, depth) for image, depth in pairs]
        return {
            "probabilities": np.stack([one.probabilities for one in found]),
            "masks": np.stack([one.masks for one in found]),
        }


def _depths(given: list[float] | None, count: int) -> npt.NDArray[np.float32] | None:
    """Return the depth of each image; one that is given holds for all."""
    if given is None or len(given) == 0:
        return None
    if len(given) not in (1, count):
        raise InputError(
            f"depth: {len(given)} values for {count} images; give one, or one an image"
        )
    return np.broadcast_to(np.array(given, np.float32), count)


def _load_pyfunc(path: str) -> ServedModel:
    """Load the model in the folder `path`; the name is MLflow's.

    Raises InputError where other code than the model's own would predict, or the folder is damaged.
    """
    folder = Path(path)
    if read_settings(folder, "code")["code"] != code_digest():
        place = Path(saltseg.__file__).parent
        raise InputError(
            f"{folder}: this model predicts with its own code, but saltseg was imported from "
            f"{place} before; load it in a process that has not imported saltseg"
        )
    return ServedModel(SaltModel(folder))
