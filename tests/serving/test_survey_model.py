"""The model that comes with saltseg: it predicts, starts networks, and is guarded by its hash."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import saltseg
from saltseg.cli import app
from saltseg.config.params import load_params
from saltseg.models import create_model, survey_model
from saltseg.plumbing.errors import InputError
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.store import open_store
from saltseg.survey.sections import make_section
from tests.conftest import PROJECT

SEED, MEASURED = 31415, 90210
"""Of no survey that it learned from; the second is that of benchmarks/transfer.py."""


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_line_is_predicted_where_nobody_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = make_section(SEED, 2, "wide")
    amplitude, salt = section.amplitude[200:, 200:].T, section.salt[200:, 200:].T
    assert 0.1 < salt.mean() < 0.9
    monkeypatch.chdir(tmp_path)
    np.save("line.npy", amplitude.astype(np.float32))
    run("predict", "line.npy", "--axes", "trace,sample", "--model", "survey", "--out", "out")
    store = open_store(Path("out/prediction.zarr"), SurveyOptions(), ["mask"])
    mask = store.stored_section("mask", "line", int(store.grid.inlines[0]))
    assert (mask & salt).sum() / (mask | salt).sum() > 0.8


def test_without_a_champion_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("image.npy", np.zeros((120, 120)))
    result = CliRunner().invoke(app, ["predict", "image.npy", "--out", "out"])
    assert result.exit_code == 1
    assert "--model survey" in result.output


def test_it_predicts_images_from_python() -> None:
    section = make_section(SEED, 10, "wide")
    found = saltseg.load("survey").predict(section.amplitude[:202, :202])
    truth = section.salt[:202, :202]
    assert (found.masks & truth).sum() / (found.masks | truth).sum() > 0.9


def test_a_network_starts_from_it() -> None:
    """A head for empty crops, which it has not, is drawn; all else is the file's."""
    definition = load_params(survey_model.FOLDER / "params.yaml").models["lite2"]
    headed = definition.model_copy(update={"weights": "survey", "empty_head": True})
    known = load_file(survey_model.SNAPSHOT)
    one, other = (create_model(headed, seed, Path()).state_dict() for seed in (1, 2))
    for name, tensor in known.items():
        assert torch.equal(one[name], tensor.to(one[name].dtype)), name
    extra = sorted(one.keys() - known.keys())
    assert extra == ["body.empty_head.bias", "body.empty_head.weight"]
    assert not torch.equal(one[extra[1]], other[extra[1]])


def test_another_network_is_refused() -> None:
    definition = load_params(survey_model.FOLDER / "params.yaml").models["lite2"]
    other = definition.model_copy(update={"weights": "survey", "hypercolumn": "none"})
    with pytest.raises(InputError, match=r"another network: .*; give .* of the recipe survey"):
        create_model(other, 1, Path())


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(survey_model.SNAPSHOT.read_bytes())
    content[-1] ^= 1
    (tmp_path / "damaged.safetensors").write_bytes(content)
    monkeypatch.setattr(survey_model, "SNAPSHOT", tmp_path / "damaged.safetensors")
    with pytest.raises(InputError, match="is missing or damaged; install saltseg again"):
        saltseg.load("survey")


def test_its_seed_is_of_no_demo_or_test() -> None:
    """What it learned from shares no section with the surveys that it is measured on."""
    params = load_params(survey_model.FOLDER / "params.yaml")
    assert params.ingest.source == "survey" and params.survey.style == "wide"
    others = {load_params(PROJECT / "params.yaml").base.seed, SEED, MEASURED}
    assert params.base.seed not in others
    for path in sorted((PROJECT / "tests").rglob("*.py")):
        assert str(params.base.seed) not in path.read_text(encoding="utf-8"), path
