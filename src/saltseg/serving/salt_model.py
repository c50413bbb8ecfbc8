"""The trained pipeline as a model: from images to probabilities and masks, as in its stages.

It reads a folder written by saltseg.project.model_folder, and keeps all weights in memory.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP
from saltseg.config.params import load_params
from saltseg.inference.ensemble import find_predicting, load_parts
from saltseg.inference.tiles import predict_tiles
from saltseg.models.devices import available_runtime
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.model_folder import read_settings
from saltseg.scoring.components import clean
from saltseg.scoring.metric import salt_masks
from saltseg.serving.depths import reads_depth

Images = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Prediction:
    """Probabilities of salt, float32, and masks, bool, of one shape: (n, h, w) or (h, w)."""

    probabilities: Probabilities
    masks: Masks


class SaltModel:
    """All members' snapshots that predict new crops, with the chosen threshold and component sizes.

    Its methods may be called from several threads; they take turns.
    """

    def __init__(self, folder: Path) -> None:
        """Load the model. Raises InputError if the folder is incomplete or damaged."""
        self.settings = read_settings(folder, "threshold", "salt_size", "hole_size")
        layout = Layout(folder)
        params = load_params(layout.params)
        params = params.model_copy(update={"runtime": available_runtime(params.runtime)})
        self.parts = list(load_parts(params, find_predicting(layout, params)))
        self.reads_depth = reads_depth(params)
        self._turn = Lock()

    def predict(self, images: Images, depth: npt.NDArray[np.float32] | None = None) -> Prediction:
        """Predict crops just as snapshot-ensemble and the later stages predict the test crops.

        images: uint8 (n, 101, 101). depth: float32 (n,) in feet.
        Raises InputError if a member reads depths and none are given.
        """
        probabilities = self._probabilities(images, self._depth(depth, len(images)))
        return Prediction(probabilities, self._masks(probabilities))

    def predict_image(
        self, image: npt.NDArray[Any], depth: float | None = None, name: str = ""
    ) -> Prediction:
        """Predict one grey image of any size and number format, shape (h, w).

        An image of 8 bits and 101 x 101 pixels is a crop and taken as it is; any other is cut into
        tiles that are each scaled to 8 bits (inference.tiles). depth: of the whole, in feet.
        name: what the progress over the tiles calls it.
        """
        given = None if depth is None else np.array([depth], np.float32)
        if image.dtype == np.uint8 and image.shape == (CROP, CROP):
            crops = self.predict(image[None], given)
            return Prediction(crops.probabilities[0], crops.masks[0])
        one = self._depth(given, 1)
        predict = partial(self._probabilities, depth=one)
        probabilities = predict_tiles(image, predict, name)
        return Prediction(probabilities, self._masks(probabilities[None])[0])

    def predict_images(
        self, images: npt.NDArray[Any], depth: npt.NDArray[np.float32] | None = None
    ) -> Prediction:
        """Predict images of one size, (n, h, w): crops together, others one after the other.

        depth: float32 (n,) in feet; see `predict` and `predict_image`.
        """
        if images.dtype == np.uint8 and images.shape[1:] == (CROP, CROP):
            return self.predict(images, depth)
        each = [None] * len(images) if depth is None else [float(feet) for feet in depth]
        pairs = zip(images, each, strict=True)
        found = [self.predict_image(image, feet) for image, feet in pairs]
        probabilities = np.stack([one.probabilities for one in found])
        return Prediction(probabilities, np.stack([one.masks for one in found]))

    def _depth(self, depth: npt.NDArray[np.float32] | None, count: int) -> npt.NDArray[np.float32]:
        if depth is None:
            if self.reads_depth:
                raise InputError(
                    "the model reads the depth of each image, in feet: give it (--depth)"
                )
            return np.zeros(count, np.float32)
        return depth

    def _probabilities(self, images: Images, depth: npt.NDArray[np.float32]) -> Probabilities:
        """Return the mean over all parts; a single depth applies to all images."""
        depth = np.array(np.broadcast_to(depth, len(images)))
        mean = np.zeros(images.shape, np.float32)
        with self._turn:  # a part loads one snapshot after the other into its network
            for part in self.parts:
                mean += part.test_share * part.predict(images, depth)
        return mean

    def _masks(self, probabilities: Probabilities) -> Masks:
        """Threshold and clean as the pipeline does, from probabilities in half precision."""
        sizes = self.settings["salt_size"], self.settings["hole_size"]
        masks = salt_masks(probabilities.astype(np.float16), self.settings["threshold"])
        return clean(masks, *sizes)
