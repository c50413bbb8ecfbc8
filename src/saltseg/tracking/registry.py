"""The registered model in MLflow: its versions, one per pipeline run, and the champion."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlparse
from urllib.request import url2pathname

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS, MLFLOW_RUN_NOTE

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.registered_model import ALIAS, CHAMPION, NAME
from saltseg.tracking.address import database, has_store
from saltseg.tracking.run_content import LONGEST_TAG
from saltseg.tracking.store import open_store, reached_store

_DESCRIPTION = "Salt in seismic images: grey images in, probabilities and masks of salt out."

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow's error codes for a missing model or version, and for a missing alias."""

_VERSION = re.compile(r"models:/([^/@]+)(?:@([^/@]+)|/(\d+))")


@dataclass(frozen=True)
class Version:
    """A version of the registered model: its number, its pipeline run and its tags."""

    number: str
    run: str
    tags: dict[str, str]

    @property
    def uri(self) -> str:
        """The name by which commands and `saltseg.load` know it."""
        return f"models:/{NAME}/{self.number}"


def open_registry(root: Path, instead: str = "") -> MlflowClient:
    """Open the store of the checkout `root`, or the server at MLFLOW_TRACKING_URI.

    instead: what to do where there is no run but to make one, for the error message.
    Raises InputError if nothing is recorded there yet; no database is created.
    """
    folder = Layout(root).mlruns
    if not has_store(folder):
        raise InputError(f"{database(folder)}: no run is recorded here; run 'dvc repro'{instead}")
    return open_store(folder)


def register(client: MlflowClient, run: str, model: str, tags: Mapping[str, str]) -> Version:
    """Register a run's logged model as a version of NAME; return the existing version if any."""
    known = version_of(client, run)
    if known:
        return known
    with suppress(MlflowException):  # it exists already
        client.create_registered_model(NAME, description=_DESCRIPTION)
    # By path: without a server, MLflow looks up models:/ID in its default store, not in this one.
    place = client.get_logged_model(model).artifact_location
    return _version(client.create_model_version(NAME, place, run, dict(tags), model_id=model))


def describe(client: MlflowClient, version: Version, model: str, text: str) -> None:
    """Give a version and its logged model their description, in Markdown, and link the two."""
    shown = text[:LONGEST_TAG]
    client.update_model_version(NAME, version.number, shown)
    # MLflow's pages take the link from this tag, which only a registration by models:/ID writes.
    versions = json.dumps([{"name": NAME, "version": version.number}])
    tags = {MLFLOW_MODEL_VERSIONS: versions, MLFLOW_RUN_NOTE: shown}
    client.set_logged_model_tags(model, tags)


def version_of(client: MlflowClient, run: str) -> Version | None:
    """Return the version made from a pipeline run, or None."""
    found = client.search_model_versions(f"name = '{NAME}' and run_id = '{run}'")
    return _version(found[0]) if found else None


def champion(client: MlflowClient) -> Version | None:
    """Return the version in use; None if none has been promoted."""
    try:
        return _version(client.get_model_version_by_alias(NAME, ALIAS))
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
    return None


def make_champion(client: MlflowClient, version: Version) -> None:
    """Move the alias to `version`."""
    client.set_registered_model_alias(NAME, ALIAS, version.number)


@contextmanager
def fetched_model(uri: str, root: Path, ours: str = "") -> Iterator[Path]:
    """Yield the folder of a version's files: the original if it is local, or a temporary copy.

    uri: models:/NAME@ALIAS or models:/NAME/VERSION. ours: how the user asks for the model that
    comes with saltseg, for error messages. Raises InputError if there is no such version,
    and if MLflow cannot be asked.
    """
    named = _VERSION.fullmatch(uri)
    if named is None:
        raise InputError(f"{uri}: is not a model; give a folder, {CHAMPION} or models:/{NAME}/1")
    with reached_store(Layout(root).mlruns):
        instead = f", or take the model that comes with saltseg: {ours}" if ours else ""
        client = open_registry(root, instead)
        location = _location(client, uri, instead, *named.groups())
    parsed = urlparse(location)
    if parsed.scheme in ("", "file"):
        yield Path(url2pathname(parsed.path))
        return
    with TemporaryDirectory(prefix="saltseg-model-") as folder:
        store = client.tracking_uri
        yield Path(
            download_artifacts(location, dst_path=folder, tracking_uri=store, registry_uri=store)
        )


def _location(
    client: MlflowClient, uri: str, instead: str, name: str, alias: str | None, version: str
) -> str:
    try:
        if alias:
            version = client.get_model_version_by_alias(name, alias).version
        return str(client.get_model_version_download_uri(name, version))
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        raise InputError(
            f"{uri}: MLflow has no such model ({error.message.rstrip('.')}); make the model of a"
            f" run the champion: saltseg promote RUN{instead}"
        ) from error


def _version(found: ModelVersion) -> Version:
    return Version(str(found.version), str(found.run_id), dict(found.tags))
