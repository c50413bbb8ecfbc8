"""`saltseg inspect`: what it says of files, and of what is unlike the crops of a model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.crops.crop_set import CropSet
from saltseg.plumbing.files import write_json
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.project.registered_model import CHAMPION
from saltseg.seismic.learned_crops import as_json, statistics_of, survey_crops
from saltseg.seismic.likeness import compare, sample_scale
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.segy import open_segy
from saltseg.seismic.windows import describe_windows, survey_windows
from tests.seismic.conftest import CROSSLINES, INLINES, small
from tests.seismic.segy_writer import Segy, encode, grid_headers, text_header

Waves = npt.NDArray[np.float64]


def said(path: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["inspect", str(path), *options])
    assert result.exit_code == 0, result.output
    return result.output


def refused(path: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["inspect", str(path), *options])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert result.output.startswith(f"saltseg: {path}: ")
    return result.output


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, without a store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def waves(count: int, length: float, slope: float = 0.0, size: int = 101) -> Waves:
    """Return windows of plane waves of a wavelength in samples, with some noise."""
    draw = np.random.default_rng(5)
    rows, columns = np.mgrid[:size, :size]
    phase = (rows - slope * columns) / length
    noise = draw.normal(0, 0.05, (count, size, size))
    return np.stack([np.sin(2 * np.pi * (phase + n / count)) for n in range(count)]) + noise


@pytest.mark.parametrize("length", [6.0, 12.0, 20.0])
def test_the_wavelength_of_waves_is_found(length: float) -> None:
    found = describe_windows(waves(10, length, slope=0.5))
    assert found is not None
    assert found.wavelength[1] == pytest.approx(length, rel=0.05)
    assert found.width[1] == pytest.approx(2 * length, rel=0.1)
    assert found.dip[1] == pytest.approx(0.5, rel=0.17)
    eight_bits = (waves(10, length, slope=0.5) * 60 + 128).clip(0, 255).astype(np.uint8)
    again = describe_windows(eight_bits)
    assert again is not None and again.wavelength[1] == pytest.approx(length, rel=0.05)


def test_windows_of_a_survey_are_those_cut_by_hand(tmp_path: Path) -> None:
    draw = np.random.default_rng(6)
    samples = draw.normal(0, 1, (4, 130, 240))
    samples[2] = 0
    path = Segy(samples.reshape(-1, 240), grid_headers(range(4), range(130))).write(
        tmp_path / "a.sgy"
    )
    with open_segy(path, SurveyOptions()) as survey:
        windows, again = survey_windows(survey), survey_windows(survey)
    expected = [
        samples[inline, left : left + 101, top : top + 101].T
        for inline in (0, 1, 3)
        for top in np.unique(np.linspace(0, 139, 6).astype(int))
        for left in np.unique(np.linspace(0, 29, 6).astype(int))
    ]
    np.testing.assert_array_equal(windows, np.stack(expected).astype(np.float32))
    assert windows.tobytes() == again.tobytes()


def test_what_is_unlike_is_said_with_figures() -> None:
    learned = [waves(5, length, 0.3) for length in (15, 18, 20, 22, 25)]
    crops = describe_windows(np.concatenate(learned))
    assert crops is not None
    assert compare(crops, crops) == []
    fine = describe_windows(waves(10, 40, 0.3))
    coarse = describe_windows(waves(10, 9.5, 0.3))
    assert fine is not None and coarse is not None
    assert any("resample by 2.1 with --sample-scale 2.1" in line for line in compare(coarse, crops))
    assert sample_scale(fine, crops) == pytest.approx(0.5, rel=0.05)
    assert any("--sample-scale 0.5" in line for line in compare(fine, crops))
    assert any("traces lie closer" in line for line in compare(fine, crops))
    assert any("farther apart" in line for line in compare(coarse, crops))
    steep = describe_windows(waves(10, 20, 1.5))
    envelope = describe_windows(np.abs(waves(10, 20, 0.3)) ** 6)
    assert steep is not None and envelope is not None
    assert any(line.startswith("dips are 1.4") for line in compare(steep, crops))
    assert any("skewed" in line and "envelope" in line for line in compare(envelope, crops))
    spiky = replace(crops, kurtosis=40 * crops.kurtosis)
    assert any("spikes" in line for line in compare(spiky, crops))
    assert any("cut off" in line for line in compare(crops, spiky))


def test_flat_windows_have_no_statistics() -> None:
    assert describe_windows(np.zeros((3, 101, 101), np.uint8)) is None
    assert describe_windows(np.empty((0, 101, 101))) is None


def test_the_figures_that_come_with_the_package_are_the_surveys(small_crops: CropSet) -> None:
    kept = survey_crops().statistics
    made = describe_windows(small_crops.train_images)
    assert made is not None
    assert compare(made, kept) == []
    assert statistics_of(json.loads(json.dumps(as_json(made)))).windows == made.windows


def test_all_that_is_known_as_json(tmp_path: Path) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    path = small(samples=small().samples[:27], headers=headers[:27]).write(tmp_path / "a.sgy")  # type: ignore[index]
    facts = json.loads(said(path, "--json", "--domain", "depth", "--unit", "ft"))
    assert facts["kind"] == "3d"
    assert facts["grid"]["inline"] == {"first": 100, "last": 110, "count": 6, "step": 2}
    assert facts["grid"]["places"] - facts["grid"]["traces"] == facts["grid"]["without_trace"] == 3
    assert facts["sample_format"]["number"] == 5
    assert facts["samples"]["unit"] == "ft"
    assert facts["coordinates"]["spacing"]["inline"] == pytest.approx(12.5, rel=1e-3)
    assert facts["coordinates"]["spacing"]["crossline"] == pytest.approx(12.5, rel=1e-3)
    assert facts["coordinates"]["rotation"] == pytest.approx(np.pi / 3, abs=1e-3)
    assert "inlines run at an azimuth of 60.0 degrees\n" in said(path)
    assert {field["byte"]: field["most"] for field in facts["candidates"]}[193] == 304
    assert len(facts["textual_header"]) == 40
    assert facts["amplitudes"]["looked_at"] == 27
    assert facts["crops"]["source"] == "the embedded survey's crops"
    assert facts["notes"] == []
    assert said(path, "--json", "--domain", "depth", "--unit", "ft") == said(
        path, "--json", "--domain", "depth", "--unit", "ft"
    )


@pytest.mark.parametrize(("says", "written"), [(1, 5), (5, 1)])
def test_a_format_that_the_amplitudes_deny(tmp_path: Path, says: int, written: int) -> None:
    path = small(
        samples=np.random.default_rng(0).normal(0, 300, (30, 40)),
        sample_format=written,
        binary={3225: ("h", says)},
    ).write(tmp_path / "a.sgy")
    text = said(path)
    assert "NOT borne out by the amplitudes" in text
    assert f"try --format {written}" in text
    assert "borne out by the amplitudes" in said(path, "--format", str(written))
    assert "NOT" not in said(path, "--format", str(written))


def test_a_file_without_a_live_trace_is_still_described(tmp_path: Path) -> None:
    path = small(samples=np.zeros((30, 40))).write(tmp_path / "a.sgy")
    text = said(path)
    assert "no live trace" in text
    assert "30 at 30 places" in text
    assert json.loads(said(path, "--json"))["amplitudes"] is None


def test_hints_of_the_domain_are_shown_and_not_followed(tmp_path: Path) -> None:
    path = small(text=text_header("C 1 LINE\nC 2 PRESTACK DEPTH MIGRATION")).write(
        tmp_path / "a.sgy"
    )
    text = said(path)
    assert "names depth in line 2" in text
    assert "domain        not known" in text


def test_wrong_files_and_options_are_one_line(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.sgy")
    assert "Is a folder" not in refused(tmp_path)
    path = small().write(tmp_path / "a.sgy")
    result = CliRunner().invoke(app, ["inspect", str(path), "--inline-byte", "240"])
    assert result.exit_code == 1
    assert "--inline-byte: 240" in result.output
    assert CliRunner().invoke(app, ["inspect", str(path), "--domain", "both"]).exit_code == 2
    result = CliRunner().invoke(app, ["inspect", str(path), "--axes", "inline,crossline,sample"])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert f"--axes: names those of an .npy, and {path} is none; leave it out" in result.output
    path.write_bytes(path.read_bytes()[:-7])
    assert "--whole-traces" in refused(path)
    assert "29 at 30 places" in said(path, "--whole-traces")


def test_headers_are_kept_in_the_folder_that_is_named(tmp_path: Path) -> None:
    path = small().write(tmp_path / "a.sgy")
    assert said(path) == said(path, "--out", "kept") == said(path, "--out", "kept")
    assert [kept.name for kept in (tmp_path / "kept").iterdir()] == ["trace-headers.npz"]


def test_the_crops_compared_with_are_those_of_the_model(tmp_path: Path, trained: Layout) -> None:
    path = small().write(tmp_path / "a.sgy")
    export_model(trained, tmp_path / "model")
    found = json.loads(said(path, "--json", "--model", "model"))["crops"]
    images = trained.data("ingest") / "train_images.npy"
    by_file = json.loads(said(path, "--json", "--crops", str(images)))["crops"]
    assert found["source"] == "crops of model"
    assert found | {"source": ""} == by_file | {"source": ""}
    ingested = Layout(tmp_path).data("ingest") / "train_images.npy"
    ingested.parent.mkdir(parents=True)
    ingested.write_bytes(images.read_bytes())
    assert json.loads(said(path, "--json"))["crops"] | {"source": ""} == found | {"source": ""}
    settings = tmp_path / "model" / "model" / "model.json"
    content = json.loads(settings.read_text())
    write_json(settings, {name: content[name] for name in content if name != "crops"})
    result = CliRunner().invoke(app, ["inspect", str(path), "--model", "model"])
    assert result.exit_code == 1
    assert "has no statistics of its crops" in result.output


def test_without_a_champion_nothing_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small().write(tmp_path / "a.sgy")
    without = said(path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'empty.db'}")
    assert said(path) == without
    result = CliRunner().invoke(app, ["inspect", str(path), "--model", CHAMPION])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "MLflow has no such model" in result.output


@pytest.mark.parametrize(
    ("added", "number", "note"),
    [
        (128, 16, "amplitudes: the file's are unsigned; 128 is taken for amplitude 0"),
        (500, 3, "amplitudes: three quarters lie on one side of 0, in the middle 5"),
        (20, 3, None),
        (0, 5, None),
    ],
)
def test_amplitudes_that_are_not_around_0(
    tmp_path: Path, added: int, number: int, note: str | None
) -> None:
    segy = small(sample_format=number)
    path = replace(segy, samples=np.asarray(segy.samples) + added).write(tmp_path / "a.sgy")
    notes = [each for each in json.loads(said(path, "--json"))["notes"] if "amplitudes" in each]
    assert (len(notes), note is None) in ((0, True), (1, False))
    assert note is None or notes[0].startswith(note)


def test_amplitudes_of_bytes_that_are_no_numbers(tmp_path: Path) -> None:
    path = small().write(tmp_path / "a.sgy")
    content = bytearray(path.read_bytes())
    content[3840:3844] = encode(float("nan"), 5, ">")
    path.write_bytes(content)
    assert json.loads(said(path, "--json"))["amplitudes"]["no_data"] == pytest.approx(1 / 1200)
