"""`saltseg predict` with a real model, as a person calls it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.crops.crop_set import CropSet, load_array
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.outputs import OUTPUTS
from saltseg.project.lineage import code_digest
from saltseg.survey.sections import make_section


def said(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    return result.exit_code, result.output


def mask_of(path: Path) -> np.ndarray:
    pixels = np.asarray(Image.open(path))
    assert set(np.unique(pixels)) <= {0, 255}
    return pixels == 255


def test_images_of_any_size(
    exported: Path, trained: Layout, small_crops: CropSet, tmp_path: Path
) -> None:
    Image.fromarray(small_crops.test_images[3]).save(tmp_path / "crop.png")
    sixteen = small_crops.test_images[:2].reshape(202, 101).astype(np.uint16) * 257
    Image.fromarray(sixteen).save(tmp_path / "tall.tif")
    section = make_section(2018, 0).amplitude
    np.save(tmp_path / "section.npy", section)
    paths = [tmp_path / name for name in ("crop.png", "tall.tif", "section.npy")]
    out = tmp_path / "out"
    code, text = said(*paths, "--model", exported, "--out", out)
    assert code == 0, text
    assert f"{tmp_path / 'section.npy'}: 100 done" in text
    assert len([line for line in text.splitlines() if "% salt: " in line]) == 3
    assert len(list(out.glob("[!.]*"))) == 9
    known = load_array(trained.data("postprocess-connected-components") / "test_masks.npy")[3]
    assert (mask_of(out / "crop_mask.png") == known).mean() > 0.999
    for name, shape in (("tall", (202, 101)), ("section", section.shape)):
        probabilities = np.load(out / f"{name}_probability.npy")
        assert (probabilities.dtype, probabilities.shape) == (np.float32, shape)
        assert mask_of(out / f"{name}_mask.png").shape == shape
        width, height = Image.open(out / f"{name}_overlay.png").size
        assert width > shape[1] and height > shape[0]


@pytest.mark.parametrize("name", ["..png", "a.b.png", "-a.png", "a b.png"])
def test_the_mask_has_the_announced_name(exported: Path, tmp_path: Path, name: str) -> None:
    path, out = tmp_path / name, tmp_path / "out"
    Image.fromarray(np.eye(101, dtype=np.uint8)).save(path, format="PNG")
    code, text = said("--model", exported, "--out", out, path)
    assert code == 0, text
    announced = Path(text.strip().rpartition("% salt: ")[2])
    assert announced.is_file() and announced.parent == out


def test_wrong_inputs_cost_one_line_and_write_nothing(exported: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.eye(120))
    np.save(tmp_path / "holed.npy", np.full((120, 120), np.nan))
    good, out = tmp_path / "good.npy", tmp_path / "out"
    cases: list[tuple[list[str | Path], str]] = [
        ([good, tmp_path / "holed.npy", "--model", exported], "not finite"),
        ([good, tmp_path / "gone.png", "--model", exported], "no such file"),
        ([good, tmp_path / "a" / "good.png", "--model", exported], "the same names"),
        ([good, "--model", exported, "--depth", "nan"], "--depth: nan is not a depth; give feet"),
        ([good, "--model", exported, "--depth", "inf"], "--depth: inf is not a depth; give feet"),
        ([good, "--model", exported, "--depth", "9"], "--depth: this model does not read it"),
        ([good, "--model", tmp_path], "holds no model.json"),
        ([good, "--model", "champion"], "is not a model; give a folder, models:/saltseg@champion"),
    ]
    for arguments, reason in cases:
        code, text = said(*arguments, "--out", out)
        assert (code, text.count("\n")) == (1, 1), text
        assert reason in text
    assert not out.exists()
    code, text = said(good, "--model", exported, "--out", good / "below")
    assert (code, text.count("\n")) == (1, 1), text
    assert f"{good / 'below'}: cannot be written to: Not a directory; choose another" in text


def test_without_a_run_or_a_champion(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    np.save("good.npy", np.eye(120))
    code, text = said("good.npy", "--out", "out")
    assert (code, text.count("\n")) == (1, 1)
    assert "mlruns/mlflow.db: no run is recorded here" in text
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.slow
def test_a_model_of_other_code_predicts_with_its_own(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "model")
    code = tmp_path / "model/code/saltseg"
    metric = code / "scoring/metric.py"
    # A code of old, for which everything below the threshold was salt.
    assert "offsets <= _INFINITY" in metric.read_text()
    metric.write_text(metric.read_text().replace("offsets <= _INFINITY", "offsets > _INFINITY"))
    settings = tmp_path / "model/model/model.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"code": code_digest(code)}))
    np.save(tmp_path / "a.npy", make_section(2018, 0).amplitude[:150, :150])
    arguments = [str(tmp_path / "a.npy")]
    for name in ("exported", "model"):
        model = exported if name == "exported" else tmp_path / name
        done = command(*arguments, "--model", str(model), "--out", str(tmp_path / name / "out"))
        said_by = done.communicate(timeout=240)[1]
        assert done.returncode == 0, said_by
        assert ("trained by other code" in said_by) == (name == "model")
    new, old = (np.load(tmp_path / n / "out/a_probability.npy") for n in ("exported", "model"))
    np.testing.assert_array_equal(new, old)
    new, old = (mask_of(tmp_path / name / "out/a_mask.png") for name in ("exported", "model"))
    assert new.any() and (new != old).mean() > 0.5


@pytest.mark.slow
def test_interrupted_it_leaves_whole_files(exported: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(60))
    np.save(tmp_path / "b.npy", np.random.default_rng(0).normal(size=(4000, 4000)))
    images = [str(tmp_path / name) for name in ("a.npy", "b.npy")]
    process = command(*images, "--model", str(exported), "--out", str(tmp_path / "out"))
    until = time.monotonic() + 200
    while not (tmp_path / "out/a_overlay.png").exists() and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1].endswith("saltseg: interrupted\n")
    assert process.returncode == 130
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"a_mask.png", "a_probability.npy", "a_overlay.png", OUTPUTS}


def command(*arguments: str) -> "subprocess.Popen[str]":
    """Start the command in a process of its own."""
    start = "from saltseg.cli import app; app()"
    environment = {key: v for key, v in os.environ.items() if not key.startswith("MLFLOW")}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", start, "predict", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
