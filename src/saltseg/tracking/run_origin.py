"""Where a pipeline's run comes from, in MLflow's own words: user, source, recipe, datasets."""

import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout

RECIPE = "recipe"
"""Tag with the recipe that the parameters come from, and how they differ from it."""

_FIRST = ("data/ingest", "data/truth", "data/pretraining")
"""The outputs of the first stage: the crops that a run starts from."""


def origin(source: str) -> dict[str, str]:
    """Return the tags by which MLflow's pages name a run's source and its user.

    source: a command, or the path of a stage's script.
    """
    tags = {"mlflow.source.name": source, "mlflow.source.type": "LOCAL"}
    with suppress(OSError, KeyError):  # a user without a name, as in some containers
        tags["mlflow.user"] = getpass.getuser()
    return tags


def pipeline_origin(
    command: Sequence[str], root: Path, params: Mapping[str, Any]
) -> dict[str, str]:
    """Return the tags of a pipeline's run: as `origin`, and its recipe.

    command: the command line of the pipeline's process. root: the checkout it runs in.
    """
    return origin(_shortened(command) or "dvc.yaml") | recipe_tag(root, params)


def recipe_tag(root: Path, params: Mapping[str, Any]) -> dict[str, str]:
    """Return the tag with the recipe that `params` come from; {} where no recipe is known."""
    from saltseg.config.recipe_names import nearest_recipe  # Hydra, which is slow to import

    with suppress(InputError, OSError):
        found = nearest_recipe(Layout(root), params)
        return {RECIPE: str(found)} if found else {}
    return {}


def datasets(inputs: Mapping[str, str]) -> list[DatasetInput]:
    """Return files and folders, hashes by path, as MLflow's datasets."""
    return [_dataset(path, digest) for path, digest in inputs.items()]


def log_crops(client: MlflowClient, run: str, outputs: Mapping[str, str]) -> None:
    """Log the crops that a pipeline's run starts from. outputs: hashes by path, of dvc.lock."""
    crops = {path: outputs[path] for path in _FIRST if path in outputs}
    if crops:
        client.log_inputs(run, datasets(crops))


def _dataset(path: str, digest: str) -> DatasetInput:
    source = json.dumps({"uri": path})
    dataset = Dataset(name=path, digest=digest, source_type="local", source=source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "input")])


def _shortened(command: Sequence[str]) -> str:
    """Return a command line without the interpreter and the programs' folders."""
    return " ".join(_words(command))


def _words(command: Sequence[str]) -> Iterator[str]:
    programs = [Path(each).name for each in command[:2]]
    if programs and programs[0].startswith("python"):
        programs = programs[1:]
    yield from programs
    yield from command[2:]
