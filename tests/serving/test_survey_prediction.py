"""`saltseg predict` on surveys, with a real model, against a slow twin."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import yaml
import zarr
from filelock import FileLock
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.config.params import load_params
from saltseg.inference.ensemble import find_snapshots
from saltseg.models import SaltNetwork, create_model
from saltseg.models.snapshots import load_snapshot
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.project.model_folder import find_model
from saltseg.seismic.choices import ScaleOf, SurveyChoices
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.scaling import Scale
from saltseg.seismic.store import PREDICTED, PREDICTION
from saltseg.selection.calibration import Calibration
from saltseg.serving.survey_work import LOCK, WORK
from saltseg.serving.survey_worker import SurveyTask, SurveyWorker
from tests.seismic.conftest import INLINES, small

SHAPE = (3, 30, 130)
"""Inlines, crosslines and samples of the survey; more than one tile of 101 down a section."""
AXES = ("--axes", "inline,crossline,sample")
Field = npt.NDArray[np.float32]
Stored = dict[str, npt.NDArray[Any]]


@pytest.fixture(scope="module")
def exported(trained: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that predicts in float32, so that two ways differ by the rounding of sums alone."""
    folder = tmp_path_factory.mktemp("exported")
    export_model(trained, folder)
    path = folder / "model" / "params.yaml"
    content = yaml.safe_load(path.read_text())
    content["runtime"]["precision"] = "float32"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A survey of smooth noise with dead traces, nulls and water."""
    path = tmp_path_factory.mktemp("volume") / "volume.npy"
    values = np.random.default_rng(5).normal(size=SHAPE).astype(np.float32)
    values = (values + np.roll(values, 1, 1) + np.roll(values, 1, 2)) * 30
    values[:, :, :9] = 0  # water
    values[2, 10:20] = 0  # dead traces
    values[:, 5, 70:80] = -999.25
    np.save(path, values)
    return path


def said(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    return result.exit_code, result.output


def predicted(volume: Path, exported: Path, out: Path, *options: str) -> Stored:
    code, text = said(
        volume, "--axes", "inline,crossline,sample", "--model", exported, "--out", out, *options
    )
    assert code == 0, text
    group = zarr.open_group(out / PREDICTION, mode="r")
    assert group.attrs["saltseg"]["complete"] is True  # type: ignore[index, call-overload]
    return {name: np.asarray(group[name]) for name in PREDICTED}


def facts(out: Path) -> dict[str, object]:
    content = json.loads((out / PREDICTION / "zarr.json").read_text())
    return dict(content["attributes"]["saltseg"])


def content_of(out: Path) -> dict[str, bytes]:
    store = out / PREDICTION
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def plain_networks(model: Path) -> list[list[SaltNetwork]]:
    """Return each part's snapshots, every one a network of its own, as it was trained."""
    layout = Layout(model)
    params = load_params(layout.params)
    parts = []
    for (member, _), paths in find_snapshots(layout, params).items():
        parts.append([create_model(params.models[member], 0, None) for _ in paths])
        for network, path in zip(parts[-1], paths, strict=True):
            network.load_state_dict(load_snapshot(path))
            network.eval()
    return parts


def twin(
    image: Field, networks: list[list[SaltNetwork]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Predict a section whole, one network after the other: mean and variance over parts."""
    parts = []
    for snapshots in networks:
        said = []
        for network in snapshots:
            tensor = torch.from_numpy(image)[None] / 255
            with torch.inference_mode():
                one = network(tensor, torch.zeros(1)).sigmoid()
                other = network(tensor.flip(-1), torch.zeros(1)).sigmoid().flip(-1)
            said.append(((one + other) / 2)[0].double().numpy())
        parts.append(np.mean(said, axis=0))
    return np.mean(parts, axis=0), np.var(parts, axis=0)


def test_it_is_what_a_plain_loop_over_sections_predicts(
    volume: Path, exported: Path, tmp_path: Path
) -> None:
    """Sections that fit one tile: mirrored, scaled, predicted and averaged by plain code."""
    values = np.load(volume)[:, :, :69].copy()
    small = tmp_path / "small.npy"
    np.save(small, values)
    found = predicted(small, exported, tmp_path / "out")
    model = find_model(exported)
    told = facts(tmp_path / "out")
    level = told["prediction"]["level"]  # type: ignore[index]
    live = found["live"]
    flat = np.where(live, values, 0)
    grey = np.rint(127.5 + 127.5 * np.clip(flat / np.float32(level), -1, 1)).astype(np.float32)
    networks, sums = plain_networks(model), np.zeros((2, 2, *values.shape))
    for axis in (0, 1):
        for at in range(values.shape[axis]):
            section = np.take(grey, at, axis).T
            sides = [_padding(length) for length in section.shape]
            padded = np.pad(section, sides, mode="symmetric")
            mean, variance = twin(padded, networks)
            inner = tuple(
                slice(before, before + length)
                for (before, _), length in zip(sides, section.shape, strict=True)
            )
            where = (slice(None), at) if axis else (at,)
            sums[axis, 0][where] = mean[inner].T
            sums[axis, 1][where] = variance[inner].T
    mean = sums[:, 0].mean(axis=0)
    settings = json.loads((model / "model.json").read_text())
    calibration = Calibration(**settings["calibration"])
    expected = np.where(live, calibration.apply(mean), 0)
    spread = np.sqrt(sums[:, 1].mean(axis=0) + sums[:, 0].var(axis=0))
    np.testing.assert_allclose(found["probability"], expected, atol=3e-3)
    np.testing.assert_allclose(found["disagreement"], np.where(live, spread, 0), atol=3e-3)
    sure = live & (np.abs(mean - settings["threshold"]) > 3e-3)
    np.testing.assert_array_equal(found["mask"][sure], (mean > settings["threshold"])[sure])
    assert 0.05 < found["mask"][live].mean() < 0.95


def _padding(length: int) -> tuple[int, int]:
    """Mirror by 32 at each end, and on to 101 + n * 32."""
    whole = length + 64
    whole += (101 - whole) % 32
    return (whole - length) // 2, whole - length - (whole - length) // 2


def test_nothing_is_predicted_where_there_is_no_data(
    volume: Path, exported: Path, tmp_path: Path
) -> None:
    found = predicted(volume, exported, tmp_path / "out", "--along", "inline", "--tile", "101")
    assert found["live"].shape == SHAPE
    dead = ~found["live"]
    assert dead[:, :, :9].all() and dead[2, 10:20].all() and dead[:, 5, 70:80].all()
    for name in ("probability", "mask", "disagreement"):
        assert not found[name][dead].any()
        assert found[name][~dead].any()
    values = np.load(volume)
    changed = tmp_path / "changed.npy"
    values[2, 10:20] = -999.25  # dead in another way: nothing else changes
    np.save(changed, values)
    other = predicted(changed, exported, tmp_path / "2", "--along", "inline", "--tile", "101")
    for name in PREDICTED:
        np.testing.assert_array_equal(found[name], other[name])


def test_killed_and_resumed_it_leaves_the_same_bytes(
    volume: Path, exported: Path, tmp_path: Path
) -> None:
    """Killed among the sections, then among the shards; what was done is not done again."""
    predicted(volume, exported, tmp_path / "whole")
    out = tmp_path / "out"
    arguments: list[str | Path] = [
        volume,
        "--model",
        exported,
        "--axes",
        "inline,crossline,sample",
        "--out",
        out,
    ]
    start = "from saltseg.cli import app; app()"
    command = [sys.executable, "-c", start, "predict", *map(str, arguments)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 200
    while len(list((out / WORK).glob("*line/*.npy"))) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    made = {path: path.stat().st_mtime_ns for path in (out / WORK).glob("*line/[0-9]*.npy")}
    assert made and not (out / PREDICTION).exists()
    code, text = said(*arguments, "--clip", "3")
    assert (code, text.count("\n")) == (1, 1) and "unfinished prediction with another" in text
    kept: dict[Path, int] = {}
    rename = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if self.name != PREDICTION:
            return rename(self, target)
        kept.update({path: path.stat().st_mtime_ns for path in made})
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        assert said(*arguments)[0] == 130
    assert kept == made
    code, text = said(*arguments)
    assert code == 0, text
    assert content_of(out) == content_of(tmp_path / "whole")


def test_called_twice_it_leaves_the_same_bytes_and_asks_first(
    volume: Path, exported: Path, tmp_path: Path
) -> None:
    arguments: list[str | Path] = [volume, "--model", exported, "--axes", "inline,crossline,sample"]
    predicted(volume, exported, tmp_path / "out")
    before = content_of(tmp_path / "out")
    code, text = said(*arguments, "--out", tmp_path / "out")
    assert (code, text.count("\n")) == (1, 1) and "prediction.zarr: is there from" in text
    predicted(volume, exported, tmp_path / "out", "--force")
    assert content_of(tmp_path / "out") == before
    assert not (tmp_path / "out" / WORK).exists()


def test_two_processes_in_one_folder(volume: Path, exported: Path, tmp_path: Path) -> None:
    with FileLock(tmp_path / LOCK):
        code, text = said(
            volume, "--axes", "inline,crossline,sample", "--model", exported, "--out", tmp_path
        )
    assert (code, text.count("\n")) == (1, 1) and "another process predicts into it" in text


@pytest.mark.parametrize(
    ("out", "reason"), [("a-file", "File exists"), ("a-file/below", "Not a directory")]
)
def test_a_folder_that_cannot_be_made(
    volume: Path, exported: Path, tmp_path: Path, out: str, reason: str
) -> None:
    (tmp_path / "a-file").write_text("mine")
    code, text = said(volume, *AXES, "--model", exported, "--out", tmp_path / out)
    assert (code, text.count("\n")) == (1, 1)
    assert f"{tmp_path / out}: cannot be written to: {reason}; choose another folder" in text
    assert (tmp_path / "a-file").read_text() == "mine"


def test_an_estimate_writes_nothing(volume: Path, exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, text = said(
        volume,
        "--model",
        exported,
        "--out",
        out,
        "--estimate",
        "--axes",
        "inline,crossline,sample",
        "--members",
        "fast",
        "--sample-scale",
        "0.5",
    )
    assert code == 0, text
    assert "inline: 3 sections of 30 x 130" in text and "crossline: 30 sections" in text
    assert all(f"{what}: " in text for what in ("time", "memory", "disk"))
    assert not out.exists()


def test_a_line_and_a_gain_and_a_resampling(exported: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", np.random.default_rng(1).normal(size=(150, 90)))
    code, text = said(
        tmp_path / "line.npy",
        "--axes",
        "trace,sample",
        "--model",
        exported,
        "--out",
        tmp_path / "out",
        "--gain",
        "30",
        "--sample-scale",
        "1.5",
        "--scale",
        "tile",
    )
    assert code == 0, text
    group = zarr.open_group(tmp_path / "out" / PREDICTION, mode="r")
    assert np.asarray(group["probability"]).shape == (150, 90)
    assert np.asarray(group["live"]).mean() > 0.99


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--tile", "50"], "--tile: 50 is no size"),
        (["--clip", "60"], "--clip: 60.0 is out of range"),
        (["--sample-scale", "0"], "--sample-scale: 0.0 is no scale"),
        (["--depth", "nan"], "--depth: nan is not a depth"),
        (["--depth", "900"], "--depth: this model does not read it; leave it out"),
        (["--null", "nan"], "--null: nan is taken as no data already; leave it out"),
        (["--unit", "ft"], "--unit: ft is a unit of depth; give --domain depth too"),
        (["--format", "5"], "--format: is for SEG-Y, and "),
    ],
)
def test_wrong_options_cost_one_line(
    volume: Path, exported: Path, tmp_path: Path, options: list[str], reason: str
) -> None:
    given: list[str | Path] = [
        "--axes",
        "inline,crossline,sample",
        "--model",
        exported,
        "--out",
        tmp_path / "out",
    ]
    code, text = said(volume, *given, *options)
    assert (code, text.count("\n")) == (1, 1), text
    assert reason in text
    assert not (tmp_path / "out" / WORK).exists()


def test_a_segy_file_and_its_grid(exported: Path, tmp_path: Path) -> None:
    path, out = small().write(tmp_path / "survey.sgy"), tmp_path / "out"
    code, text = said(path, "--domain", "time", "--model", exported, "--out", out)
    assert code == 0, text
    group = zarr.open_group(out / PREDICTION, mode="r")
    assert np.asarray(group["probability"]).shape == (6, 5, 40)
    assert np.asarray(group["inline"]).tolist() == INLINES
    assert facts(out)["domain"] == "time"


def test_unsigned_amplitudes_are_predicted_as_the_signed_ones(
    volume: Path, exported: Path, tmp_path: Path
) -> None:
    """The same section in 8 bits with and without a sign, muted above."""
    signed = np.rint(np.load(volume)[0] / 2).clip(-127, 127).astype(np.int8)
    found = {}
    for name, values in (("signed", signed), ("unsigned", signed.view(np.uint8) ^ 128)):
        np.save(tmp_path / f"{name}.npy", values)
        given = (tmp_path / f"{name}.npy", "--axes", "trace,sample", "--model", exported)
        code, text = said(*given, "--out", tmp_path / name)
        assert code == 0, text
        assert ("unsigned; 128 is taken for amplitude 0" in text) is (name == "unsigned")
        group = zarr.open_group(tmp_path / name / PREDICTION, mode="r")
        found[name] = {each: np.asarray(group[each]) for each in PREDICTED}
    assert not found["signed"]["live"][:, :9].any() and found["signed"]["probability"].any()
    for each in PREDICTED:
        np.testing.assert_array_equal(found["unsigned"][each], found["signed"][each])
    told = [facts(tmp_path / name)["prediction"].get("zero") for name in found]  # type: ignore[attr-defined]
    assert told == [None, 128]
    record = json.loads((tmp_path / "unsigned" / "record.json").read_text())
    assert "unsigned; 128 is taken" in record["inferred"]["notes"][-1]


def test_a_worker_takes_the_zero_that_was_found_for_all(tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", np.full((4, 9), 100, np.uint8) + np.arange(9, dtype=np.uint8))
    options = SurveyOptions(axes="trace,sample")
    with open_survey(tmp_path / "line.npy", options) as survey:
        scale = Scale(ScaleOf.SURVEY, 1.0, 2.0)
        places = (tmp_path, tmp_path, tmp_path, tmp_path)
        SurveyWorker(SurveyTask(*places, options, SurveyChoices(), scale, 90.0), survey)
        assert survey.section("line", 0).amplitude[0].tolist() == list(range(10, 19))


def test_options_of_surveys_are_not_for_images(exported: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.eye(120))
    for path, reason in ((tmp_path / "image.npy", "--clip: is for surveys"),):
        code, text = said(path, "--model", exported, "--out", tmp_path / "out", "--clip", "3")
        assert (code, text.count("\n")) == (1, 1) and reason in text
    code, text = said(tmp_path / "image.npy", tmp_path / "a.sgy", "--out", tmp_path / "out")
    assert (code, text.count("\n")) == (1, 1) and "predict each alone" in text
