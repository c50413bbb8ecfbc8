"""`saltseg predict` on a survey: SEG-Y, a zarr store or an array, section by section."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.progress import progress
from saltseg.project.model_folder import find_model
from saltseg.seismic.amplitudes import zero_notes
from saltseg.seismic.bricks import blocks
from saltseg.seismic.choices import SurveyChoices
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.predictions import PredictionStore, begin_store
from saltseg.seismic.scaling import measure_scale
from saltseg.seismic.section_files import SectionFiles
from saltseg.seismic.store import PREDICTION
from saltseg.seismic.survey import Section
from saltseg.serving.model_lineage import model_lineage
from saltseg.serving.survey_estimate import estimate
from saltseg.serving.survey_networks import SurveyNetworks
from saltseg.serving.survey_work import begun_work, file_identity, model_identity
from saltseg.serving.survey_worker import (
    OneWorker,
    SurveyTask,
    SurveyWorker,
    Workers,
    load_reading,
)


def predict_survey(
    path: Path,
    model: Path,
    out: Path,
    options: SurveyOptions,
    choices: SurveyChoices,
    force: bool,
    ray: str | None = None,
) -> Path:
    """Predict a survey with the model in a folder, and return the store, `out`/PREDICTION.

    What a killed call has finished is not computed again, and the bytes are those of a call that
    nobody disturbed. force: replace an earlier prediction. ray: address of a cluster, see
    cluster.ray_cluster.connected, all nodes of which see the survey and `out` at these paths.
    Raises InputError for a survey, model, option or folder that is wrong.
    """
    found = find_model(model)
    identity = _identity(path, found, options, choices)
    with begun_work(out, path, identity, force) as work, open_survey(path, options, out) as survey:
        for note in zero_notes(survey):
            print(f"{path}: {note}")
        scale = measure_scale(survey, choices.scale, choices.clip, choices.gain)
        places = (path.resolve(), found.resolve(), out.resolve(), work.folder.resolve())
        task = SurveyTask(*places, options, choices, scale, survey.zero)
        own = SurveyWorker(task, survey)
        with _workers(task, own, ray) as workers:
            _predict_sections(own.files, workers)
            facts = load_reading(found)[1]
            facts |= {"prediction": identity | {"axes": own.files.axes} | _facts_of(task)}
            if lineage := model_lineage(found):
                facts |= {"model": lineage}
            begin_store(work.folder, survey, _plain(facts))
            _write_shards(own.store, workers)
        salt = _salt_share(work.folder / PREDICTION)
        work.finish()
    print(f"{path}: {salt:.1%} salt: {out / PREDICTION}")
    return out / PREDICTION


@contextmanager
def _workers(task: SurveyTask, own: SurveyWorker, ray: str | None) -> Iterator[Workers]:
    if ray is None:
        yield OneWorker(own)
        return
    from saltseg.serving.survey_cluster import cluster_workers

    with cluster_workers(task, ray) as workers:
        yield workers


def _predict_sections(files: SectionFiles, workers: Workers) -> None:
    """Predict the sections that have no file yet."""
    missing, total = files.missing(), len(files.wanted())
    done = total - len(missing)
    name = "sections" + (f" ({done:,} of {total:,} were done before)" if done else "")
    for _ in progress(workers.deal(missing), name, len(missing)):
        pass
    left = files.missing()
    if left:
        raise InputError(
            f"{files.folder}: {len(left):,} sections that were predicted are not there; give a"
            " folder that all nodes share, at the same path"
        )


def _write_shards(store: PredictionStore, workers: Workers) -> None:
    """Make the shards of the store that are not whole yet, and complete it."""
    missing = store.missing()
    shards = [("", at) for at in missing]
    for _ in progress(workers.deal(shards), "shards of the prediction", len(missing)):
        pass
    store.complete()


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
        "options": asdict(options),
        "choices": {name: str(value) for name, value in asdict(choices).items()},
    }


def _facts_of(task: SurveyTask) -> dict[str, Any]:
    gain = None if task.scale.gain is None else task.scale.gain.tolist()
    found = {"level": task.scale.level, "gain_by_sample": gain}
    return found | ({"zero": task.zero} if task.zero else {})


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
