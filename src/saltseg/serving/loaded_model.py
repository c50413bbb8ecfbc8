"""A trained model for use from Python: arrays in, probabilities and masks out."""

import subprocess
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from saltseg.models import survey_model
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_array
from saltseg.project.model_folder import find_model, own_code
from saltseg.project.registered_model import CHAMPION
from saltseg.serving.depths import checked_depths
from saltseg.serving.image_files import prediction_names
from saltseg.serving.image_prediction import fetched
from saltseg.serving.own_process import depth_options, own_command, own_environment
from saltseg.serving.salt_model import Prediction, SaltModel

Depths = npt.NDArray[np.float32]
Predict = Callable[[npt.NDArray[Any], Depths | None], Prediction]
"""From images (n, h, w) and the depth of each to their prediction."""

_EXPECTED = "give real numbers of shape (n, height, width) or (height, width)"


def load(model: str | Path = CHAMPION, root: str | Path = ".") -> "Model":
    """Load a trained model.

    model: a version in MLflow's registry, models:/NAME@ALIAS or models:/NAME/VERSION, or a folder.
    root: the checkout whose mlruns/ is used, where MLFLOW_TRACKING_URI names no server.

    A model predicts with the code that trained it. Where that differs from this package, each call
    of `predict` starts a process that imports it, which takes seconds.
    Raises InputError where there is no such model, or it is incomplete or damaged.
    """
    with ExitStack() as files:
        ours = f'saltseg.load("{survey_model.NAME}")'
        found = find_model(files.enter_context(fetched(str(model), Path(root), ours)))
        code = own_code(found)
        if code is None:
            return Model(SaltModel(found).predict_images)
        own = Model(OwnCodeModel(found, code).predict_images)
        # What was fetched from a server is removed when the model is gone.
        weakref.finalize(own, files.pop_all().close)
        return own


class Model:
    """A trained model: all its networks, its threshold and its component sizes."""

    def __init__(self, predict_images: Predict) -> None:
        """Wrap what predicts images of one size; `load` is the way to a model."""
        self._predict = predict_images

    def predict(
        self,
        images: npt.NDArray[Any],
        depth: float | Sequence[float] | npt.NDArray[np.floating] | None = None,
    ) -> Prediction:
        """Find salt in one image, (h, w), or in several of one size, (n, h, w).

        images: real numbers, all finite. 8-bit images of 101 x 101 pixels are crops and taken as
        they are; any others are cut into tiles, each scaled to 8 bits by its own extremes.
        depth: in feet, one for all or one for each image, for models that read it.

        Returns `probabilities`, float32, and `masks`, bool, in the shape of `images`, just as
        `saltseg predict` writes them.
        Raises InputError for other images, for invalid depths, and where depths are missing.
        """
        stack = _checked(images)
        given = None if depth is None else np.atleast_1d(np.asarray(depth))
        found = self._predict(stack, checked_depths(given, len(stack)))
        if np.ndim(images) == 3:
            return found
        return Prediction(found.probabilities[0], found.masks[0])


class OwnCodeModel:
    """A model that other code trained: it predicts in a process that imports that code."""

    def __init__(self, model: Path, code: Path) -> None:
        """Take a model as find_model returns it, and the folder of its code."""
        self.model, self.code = model, code

    def predict_images(self, images: npt.NDArray[Any], depths: Depths | None) -> Prediction:
        """Predict images (n, h, w) with the depth of each, those of one depth in one process."""
        probabilities, masks = np.empty(images.shape, np.float32), np.empty(images.shape, bool)
        each = np.zeros(len(images)) if depths is None else depths
        for depth in np.unique(each):
            of_depth = np.flatnonzero(each == depth)
            found = self._predict(images[of_depth], None if depths is None else float(depth))
            probabilities[of_depth], masks[of_depth] = found.probabilities, found.masks
        return Prediction(probabilities, masks)

    def _predict(self, images: npt.NDArray[Any], depth: float | None) -> Prediction:
        with TemporaryDirectory(prefix="saltseg-predict-") as folder:
            out = Path(folder) / "out"
            paths = [Path(folder) / f"{number}.npy" for number in range(len(images))]
            for path, image in zip(paths, images, strict=True):
                write_array(path, image)
            self._run(own_command(paths, self.model, out, depth_options(depth)))
            names = [prediction_names(path.stem) for path in paths]
            probabilities = [np.load(out / numbers) for numbers, _, _ in names]
            masks = [np.asarray(Image.open(out / mask)) > 0 for _, mask, _ in names]
        return Prediction(np.stack(probabilities), np.stack(masks))

    def _run(self, command: list[str]) -> None:
        environment = own_environment(self.code)
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise InputError(f"{self.model}: {said[-1].removeprefix('saltseg: ')}")


def _checked(images: Any) -> npt.NDArray[Any]:  # noqa: ANN401  # what a user gives
    """Return images as an array (n, h, w). Raises InputError where they are none."""
    array: npt.NDArray[Any] = np.asarray(images)
    if array.dtype.kind not in "uif" or array.dtype.itemsize > 8:
        raise InputError(f"images: hold {array.dtype}; {_EXPECTED}")
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(f"images: have shape {array.shape}; {_EXPECTED}")
    if not np.isfinite(array).all():
        raise InputError("images: hold values that are not finite; replace them")
    return array if array.ndim == 3 else array[None]
