"""Predicting on users' images with a registered model, by the code that trained it."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from saltseg.models import survey_model
from saltseg.plumbing.outputs import Outputs, check_outputs, protected_outputs
from saltseg.project.model_folder import find_model, own_code
from saltseg.seismic.images import read_image
from saltseg.serving.depths import check_depth_is_read
from saltseg.serving.image_files import check_names, prediction_names, write_prediction
from saltseg.serving.own_process import depth_options, own_command, own_environment


def predict_files(
    images: Sequence[Path],
    model: str,
    out: Path,
    depth: float | None,
    root: Path,
    force: bool = False,
) -> None:
    """Write STEM_mask.png, STEM_probability.npy and STEM_overlay.png of each image into `out`.

    model: models:/NAME@ALIAS, models:/NAME/VERSION, a folder, or `survey`.
    depth: of the images, in feet.
    root: the checkout whose mlruns/ is used. force: replace what an earlier call wrote.
    Raises InputError for a wrong image, depth or `out`, for a depth that the model does not read,
    for files that would be lost, before anything is predicted, and where there is no such model.
    """
    check_names(images)
    names = [name for path in images for name in prediction_names(path.stem)]
    check_outputs(out, names, images, force)
    for path in images:
        read_image(path)
    with fetched(model, root) as folder:
        found = find_model(folder)
        code = own_code(found)
        if code is None:
            check_depth_is_read(found, depth)
        with protected_outputs(out, names, force) as outputs:
            if code is None:
                _predict(images, found, outputs, depth)
            else:
                _predict_by(code, images, found, outputs, depth)


def fetched(
    model: str, root: Path, ours: str = f"--model {survey_model.NAME}"
) -> AbstractContextManager[Path]:
    """Return the folder of a model: the given one, a temporary copy from the registry, or our own.

    The model that comes with saltseg is named `survey`; a folder of that name is ./survey.
    ours: how the user asks for that model, for error messages.
    """
    if model == survey_model.NAME:
        survey_model.check()
        return nullcontext(survey_model.FOLDER)
    if Path(model).is_dir():
        return nullcontext(Path(model))
    from saltseg.tracking.registry import fetched_model

    return fetched_model(model, root, ours)


def _predict(images: Sequence[Path], model: Path, outputs: Outputs, depth: float | None) -> None:
    from saltseg.serving.salt_model import SaltModel

    salt_model = SaltModel(model)
    for path in images:
        image = read_image(path)
        found = salt_model.predict_image(image, depth, str(path))
        write_prediction(outputs.staging, path.stem, image, found.probabilities, found.masks)
        names = prediction_names(path.stem)
        outputs.place(*names)
        print(f"{path}: {found.masks.mean():.1%} salt: {outputs.folder / names[1]}")


def _predict_by(
    code: Path, images: Sequence[Path], model: Path, outputs: Outputs, depth: float | None
) -> None:
    """Predict in a process that imports the model's own code instead of this."""
    print("saltseg: the model was trained by other code: it predicts with its own", file=sys.stderr)
    command = own_command(images, model, outputs.staging, depth_options(depth))
    own = own_environment(code)
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            # The line is printed when the files of an image are complete.
            done = [path for path in images if line.startswith(f"{path}: ") and " salt: " in line]
            outputs.place(*(name for path in done for name in prediction_names(path.stem)))
            print(line.replace(str(outputs.staging), str(outputs.folder)), end="", flush=True)
    if process.returncode != 0:
        sys.exit(max(process.returncode, 1))  # it has printed why
