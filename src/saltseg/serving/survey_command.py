"""Which of `saltseg predict`'s arguments is a survey, and by whose code it is predicted."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.project.model_folder import find_model, own_code
from saltseg.seismic.bucket import BucketPath
from saltseg.seismic.choices import SurveyChoices
from saltseg.seismic.opening import check_survey
from saltseg.seismic.options import SurveyOptions, option_of
from saltseg.serving.depths import check_depth_is_read
from saltseg.serving.image_prediction import fetched
from saltseg.serving.own_process import own_command, own_environment

_PICTURES = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".jp2", ".gif", ".bmp", ".webp", ".pdf"}


def chosen_survey(
    files: Sequence[Path],
    options: SurveyOptions,
    choices: SurveyChoices,
    estimate: bool,
    ray: str | None,
) -> Path | None:
    """Return the survey among the files; None where all are images.

    An .npy of two dimensions is an image unless --axes names its axes. Raises InputError for a
    survey beside other files, and for options that images do not have.
    """
    surveys = [path for path in files if _is_survey(path, options)]
    if surveys and len(files) > 1:
        raise InputError(f"{surveys[0]}: is a survey; predict each alone, into a folder of its own")
    if surveys:
        return surveys[0]
    given = _given(options, SurveyOptions())
    given += _given(replace(choices, depth=None), SurveyChoices())
    given += ["--estimate"] * estimate + ["--ray"] * (ray is not None)
    if given:
        raise InputError(f"{given[0]}: is for surveys, and {files[0]} is an image; leave it out")
    return None


def run_survey(
    survey: Path,
    model: str,
    out: Path,
    options: SurveyOptions,
    choices: SurveyChoices,
    estimate: bool,
    force: bool,
    root: Path,
    ray: str | None,
) -> bool:
    """Predict a survey, or say what that will take, by the code that the model was trained with.

    Returns whether this process predicted it: the model's own code writes its own outputs.
    """
    check_survey(survey, options)
    with fetched(model, root) as folder:
        found = find_model(folder)
        code = own_code(found)
        if code is not None and ray is not None:
            raise InputError(
                f"{model}: was trained by other code, which the nodes of {ray} do not have; leave"
                " --ray out, or check out the code of its run on all nodes"
            )
        if code is not None:
            _run_by(code, survey, found, out, options, choices, estimate, force)
            return False
        check_depth_is_read(found, choices.depth)
        from saltseg.serving.survey_prediction import estimate_survey, predict_survey

        if estimate:
            print(estimate_survey(survey, found, options, choices))
        else:
            predict_survey(survey, found, out, options, choices, force, ray)
        return not estimate


def _is_survey(path: Path, options: SurveyOptions) -> bool:
    if isinstance(path, BucketPath):
        return True
    if path.suffix.lower() == ".npy" and not path.is_dir():
        return options.axes is not None or _dimensions(path) == 3
    return path.suffix.lower() not in _PICTURES


def _dimensions(path: Path) -> int:
    """Return the dimensions of an .npy, 0 where it cannot be read: the image's reader says why."""
    try:
        return int(np.load(path, mmap_mode="r").ndim)
    except (OSError, EOFError, ValueError, SyntaxError, OverflowError):
        return 0


def _given(
    values: SurveyOptions | SurveyChoices, usual: SurveyOptions | SurveyChoices
) -> list[str]:
    """Return as arguments what is not as usual: option and value, or an option alone."""
    arguments: list[str] = []
    for field in fields(values):
        value = getattr(values, field.name)
        if value != getattr(usual, field.name):
            arguments.append(option_of(field.name))
            arguments += [] if value is True else [str(value)]
    return arguments


def _run_by(
    code: Path,
    survey: Path,
    model: Path,
    out: Path,
    options: SurveyOptions,
    choices: SurveyChoices,
    estimate: bool,
    force: bool,
) -> None:
    """Predict in a process that imports the model's own code in place of this."""
    if not (code / "saltseg" / "serving" / "survey_prediction.py").exists():
        raise InputError(f"{model}: was made by code that predicts no surveys; train it again")
    print("saltseg: the model was trained by other code: it predicts with its own", file=sys.stderr)
    arguments = _given(options, SurveyOptions()) + _given(choices, SurveyChoices())
    arguments += ["--estimate"] * estimate + ["--force"] * force
    command = own_command([survey], model, out, arguments)
    done = subprocess.run(command, env=own_environment(code), check=False)
    if done.returncode != 0:
        sys.exit(max(done.returncode, 1))  # it has said why
