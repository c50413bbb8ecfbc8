"""Stores in a bucket, on a real S3 server."""

import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.seismic.array_file import open_array
from saltseg.seismic.bucket import BucketPath, check_not_in_bucket, located
from saltseg.seismic.fingerprint import fingerprint
from saltseg.seismic.opening import check_survey, open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.store import PREDICTION, complete, create_store
from saltseg.serving.survey_work import file_identity
from tests.helpers.s3 import BUCKET, CREDENTIALS, s3_server

pytestmark = pytest.mark.slow

SHAPE = 5, 6, 40
PLACE = Path(f"s3://{BUCKET}/surveys/north.zarr")
NAMING = (f"{PREDICTION}/zarr.json", "record.json", ".saltseg-outputs")
"""Files of a prediction that name its survey, or have the hash of one that does."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store, also in a bucket; the environment tells where, and has what it takes."""
    folder = tmp_path_factory.mktemp("bucket")
    values = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    np.save(folder / "north.npy", values)
    survey = open_array(folder / "north.npy", SurveyOptions(axes="inline,crossline,sample"))
    group = create_store(folder / "north.zarr", survey, ["amplitude"], {})
    group["amplitude"][...] = values  # type: ignore[index]
    complete(group)
    with s3_server(folder) as address, pytest.MonkeyPatch.context() as environment:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": address}).items():
            environment.setenv(name, value)
        bucket = fsspec.filesystem("s3")
        bucket.put(str(folder / "north.zarr"), f"{BUCKET}/surveys/north.zarr", recursive=True)
        bucket.pipe(f"{BUCKET}/surveys/north.sgy", b"C40 " * 1000)
        yield folder / "north.zarr"


def test_a_store_is_read_where_it_lies(store: Path) -> None:
    place = located(PLACE)
    check_survey(place, SurveyOptions())
    with (
        open_survey(place, SurveyOptions()) as there,
        open_survey(store, SurveyOptions()) as here,
    ):
        for axis in ("inline", "crossline"):
            for number in here.grid.numbers(axis):
                ours, theirs = (each.section(axis, int(number)) for each in (here, there))
                np.testing.assert_array_equal(ours.amplitude, theirs.amplitude)
    assert str(there.path) == f"s3://{BUCKET}/surveys/north.zarr"


def test_a_store_is_known_by_what_the_bucket_says(store: Path) -> None:
    place = located(PLACE)
    known, hashed = file_identity(place), fingerprint(place)
    assert known["file"] == str(place) and hashed["bytes"] == fingerprint(store)["bytes"]
    root = f"{BUCKET}/surveys/north.zarr/zarr.json"
    bucket = fsspec.filesystem("s3")
    content = bucket.cat(root)
    try:
        bucket.pipe(root, content + b"\n")
        assert file_identity(place) != known and fingerprint(place) != hashed
    finally:
        bucket.pipe(root, content)
    assert fingerprint(place) == hashed


def test_it_is_predicted_as_its_copy_here_each_time(
    store: Path, trained: Layout, tmp_path: Path
) -> None:
    model = tmp_path / "exported"
    export_model(trained, model)
    surveys = {"here": str(store), "there": str(located(PLACE)), "again": str(located(PLACE))}
    for name, survey in surveys.items():
        arguments = ["predict", survey, "--model", str(model), "--out", str(tmp_path / name)]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    here, there, again = (content_of(tmp_path / name) for name in surveys)
    assert there == again
    assert told(there) == file_identity(located(PLACE)) and told(here) == file_identity(store)
    for name in NAMING:
        assert here.pop(name) != there.pop(name)
    assert here == there


def content_of(folder: Path) -> dict[str, bytes]:
    """Return all that a prediction wrote."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def told(content: dict[str, bytes]) -> object:
    """Return how a prediction names its survey."""
    known = json.loads(content[f"{PREDICTION}/zarr.json"])
    return known["attributes"]["saltseg"]["prediction"]["survey"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"{BUCKET}/surveys/north.sgy", "only these are read from a bucket; copy the file here"),
        (f"{BUCKET}/nothing", "only these are read from a bucket"),
    ],
)
def test_what_is_no_store_is_refused_in_one_line(store: Path, name: str, reason: str) -> None:
    for ask in (check_survey, open_survey):
        with pytest.raises(InputError, match=f"s3://{name}: .*{reason}"):
            ask(located(Path(f"s3://{name}")), SurveyOptions())


def test_nothing_is_written_to_a_bucket() -> None:
    assert located(Path("surveys/north.zarr")) == Path("surveys/north.zarr")
    assert isinstance(located(PLACE), BucketPath)
    check_not_in_bucket(Path("out"), "--out")
    with pytest.raises(InputError, match=r"--out: s3://saltseg/surveys/north\.zarr is"):
        check_not_in_bucket(PLACE, "--out")
