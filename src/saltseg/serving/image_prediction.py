"""Predicting on a user's images with a model of the registry, by the code that trained it."""

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from saltseg.plumbing.errors import InputError
from saltseg.project.model_folder import find_model, own_code
from saltseg.serving.image_files import check_folder, check_names, read_image, write_prediction


def predict_files(
    images: Sequence[Path], model: str, out: Path, depth: float | None, root: Path
) -> None:
    """Write STEM_mask.png, STEM_probability.npy and STEM_overlay.png of each image into `out`.

    model: models:/NAME@ALIAS, models:/NAME/VERSION, or a folder. depth: of the images, in feet.
    root: the checkout whose mlruns/ are asked.
    Raises InputError for a wrong image, depth or `out` before anything is predicted, and where
    there is no such model.
    """
    if depth is not None and not math.isfinite(depth):
        raise InputError(f"--depth: {depth} is no depth; give feet")
    check_names(images)
    for path in images:
        read_image(path)
    with _fetched(model, root) as folder:
        found = find_model(folder)
        check_folder(out)
        code = own_code(found)
        if code is None:
            _predict(images, found, out, depth)
        else:
            _predict_by(code, images, found, out, depth)


def _fetched(model: str, root: Path) -> AbstractContextManager[Path]:
    if Path(model).is_dir():
        return nullcontext(Path(model))
    from saltseg.tracking.registry import fetched_model

    return fetched_model(model, root)


def _predict(images: Sequence[Path], model: Path, out: Path, depth: float | None) -> None:
    from saltseg.serving.salt_model import SaltModel

    salt_model = SaltModel(model)
    for path in images:
        image = read_image(path)
        found = salt_model.predict_image(image, depth, str(path))
        write_prediction(out, path.stem, image, found.probabilities, found.masks)
        print(f"{path}: {found.masks.mean():.1%} salt: {out / f'{path.stem}_mask.png'}")


def _predict_by(
    code: Path, images: Sequence[Path], model: Path, out: Path, depth: float | None
) -> None:
    """Predict in a process that imports the model's own code in place of this."""
    print("saltseg: the model was trained by other code: it predicts with its own", file=sys.stderr)
    start = "from saltseg.cli import app; app()"
    options = ["--model", str(model), "--out", str(out)]
    options += [] if depth is None else ["--depth", str(depth)]
    command = [sys.executable, "-c", start, "predict", *options, "--", *map(str, images)]
    environment = os.environ | {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(max(done.returncode, 1))  # it has said why
