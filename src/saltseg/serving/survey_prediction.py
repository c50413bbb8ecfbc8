"""`saltseg predict` on a survey: SEG-Y, a zarr store or an array, section by section."""

import json
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from saltseg.plumbing.progress import progress
from saltseg.project.model_folder import find_model, read_settings
from saltseg.seismic.choices import SurveyChoices
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.predictions import Reading, write_predictions
from saltseg.seismic.scaling import Scale, measure_scale
from saltseg.seismic.section_files import SectionFiles, blocks
from saltseg.seismic.store import PREDICTION
from saltseg.seismic.survey import Section, Survey
from saltseg.selection.calibration import Calibration
from saltseg.serving.survey_estimate import estimate
from saltseg.serving.survey_networks import SurveyNetworks
from saltseg.serving.survey_work import begun_work, file_identity, model_identity


def predict_survey(
    path: Path, model: Path, out: Path, options: SurveyOptions, choices: SurveyChoices, force: bool
) -> Path:
    """Predict a survey with the model in a folder, and return the store, `out`/PREDICTION.

    What a killed call has finished is not computed again, and the bytes are those of a call that
    nobody disturbed. force: replace an earlier prediction. Raises InputError for a survey, model,
    option or folder that is wrong.
    """
    found = find_model(model)
    identity = _identity(path, found, options, choices)
    with begun_work(out, path, identity, force) as work, open_survey(path, options, out) as survey:
        scale = measure_scale(survey, choices.scale, choices.clip, choices.gain)
        files = SectionFiles(work.folder, survey.grid, choices.along.of(survey.grid))
        if files.missing():
            networks = SurveyNetworks(found, choices.members, choices.tile, choices.depth)
            predict_sections(survey, files, networks, scale, choices.sample_scale)
        reading, facts = _reading(found)
        facts |= {"prediction": identity | {"axes": files.axes} | _facts_of(scale)}
        store = write_predictions(work.folder, survey, files, reading, _plain(facts))
        salt = _salt_share(store)
        work.finish()
    print(f"{path}: {salt:.1%} salt: {out / PREDICTION}")
    return out / PREDICTION


def predict_sections(
    survey: Survey, files: SectionFiles, networks: SurveyNetworks, scale: Scale, sample_scale: float
) -> None:
    """Predict the sections that have no file yet, and write each as it is done."""
    missing, total = files.missing(), len(files.wanted())
    done = total - len(missing)
    name = "sections" + (f" ({done:,} of {total:,} were done before)" if done else "")
    for axis, at in progress(missing, name, len(missing)):
        section = survey.section(axis, int(survey.grid.numbers(axis)[at]))
        found = networks.predict(section, scale, sample_scale)
        files.write(axis, at, found.mean, found.variance, section.live)


def estimate_survey(path: Path, model: Path, options: SurveyOptions, choices: SurveyChoices) -> str:
    """Return in lines what a prediction will take: time, memory and disk; by predicting a section.

    Nothing is written. Raises InputError as predict_survey does.
    """
    with open_survey(path, options) as survey:
        scale = measure_scale(survey, choices.scale, choices.clip, choices.gain)
        axes = choices.along.of(survey.grid)
        networks = SurveyNetworks(find_model(model), choices.members, choices.tile, choices.depth)

        def predict(section: Section) -> object:
            return networks.predict(section, scale, choices.sample_scale)

        return estimate(survey, axes, predict)


def _identity(
    path: Path, model: Path, options: SurveyOptions, choices: SurveyChoices
) -> dict[str, Any]:
    return {
        "survey": file_identity(path),
        "model": model_identity(model),
        "options": {name: _json_value(value) for name, value in asdict(options).items()},
        "choices": {name: str(value) for name, value in asdict(choices).items()},
    }


def _json_value(value: object) -> object:
    """Return an option as JSON keeps it: the value of a choice, a list for a tuple."""
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _reading(model: Path) -> tuple[Reading, dict[str, Any]]:
    """Return how the model's probabilities are read, and what the store says of it.

    A model of before calibration was fitted has none, and its probabilities stay as they are.
    """
    settings = read_settings(model, "threshold")
    threshold, given = float(settings["threshold"]), settings.get("calibration")
    calibrate = _as_they_are if given is None else Calibration(**given).apply
    facts = {
        "threshold": float(calibrate(np.array(threshold))),
        "threshold_before_calibration": threshold,
        "calibration": given,
    }
    return Reading(threshold, calibrate), facts


def _as_they_are(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    return probabilities.astype(np.float64)


def _facts_of(scale: Scale) -> dict[str, Any]:
    gain = None if scale.gain is None else scale.gain.tolist()
    return {"level": scale.level, "gain_by_sample": gain}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as JSON holds them."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def _salt_share(store: Path) -> float:
    """Return the share of a survey's data that is salt, read shard by shard."""
    group = zarr.open_group(store, mode="r")
    mask: Any = group["mask"]
    live: Any = group["live"]
    counts = np.zeros(2, np.int64)
    for place in blocks(mask.shape, mask.shards):
        counts += np.count_nonzero(mask[place]), np.count_nonzero(live[place])
    return float(counts[0] / max(counts[1], 1))
