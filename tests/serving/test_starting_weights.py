"""Weights of a trained model, kept as a file, from which another training starts."""

import shutil
from pathlib import Path

import pytest
import torch

from saltseg.config.params import load_params
from saltseg.models import create_model
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file, write_json
from saltseg.plumbing.layout import Layout
from saltseg.project.lineage import raw_data
from saltseg.serving.starting_weights import keep_weights
from tests.conftest import PROJECT
from tests.helpers.model_definitions import define_unet

SMALL = {"encoder": "resnet18", "decoder_channels": [32, 16, 8]}


@pytest.fixture(scope="module")
def trained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of one member, two folds and two snapshots each."""
    layout = Layout(tmp_path_factory.mktemp("model"))
    (layout.root / "model.json").write_text("{}")
    definition = define_unet(weights="none", **SMALL)
    for fold in (0, 1):
        networks = [create_model(definition, 10 * fold + step, None) for step in (0, 1)]
        save_snapshots(layout.model("small", fold), [each.state_dict() for each in networks])
    return layout.root


def test_the_whole_network_is_that_of_the_snapshot(trained_model: Path, tmp_path: Path) -> None:
    kept = keep_weights(str(trained_model), None, 1, tmp_path)
    snapshot = trained_model / "models" / "small" / "1" / "snapshot_1.safetensors"
    assert kept.read_bytes() == snapshot.read_bytes()
    assert kept.name == f"small-{hash_file(snapshot)[:8]}.safetensors"
    assert keep_weights(str(snapshot), "small", None, tmp_path) != kept  # named after the file

    start = create_model(define_unet(weights=kept.name, **SMALL), 5, tmp_path / "weights")
    own = create_model(define_unet(weights="none", **SMALL), 11, None)
    for name, values in start.state_dict().items():
        assert torch.equal(values, own.state_dict()[name]), name


def test_the_model_may_change_and_the_file_stays(trained_model: Path, tmp_path: Path) -> None:
    moving = shutil.copytree(trained_model, tmp_path / "champion")
    first = keep_weights(str(moving), "small", 0, tmp_path)
    before = first.read_bytes()
    place = moving / "models" / "small" / "0"
    shutil.copy(place / "snapshot_0.safetensors", place / "snapshot_1.safetensors")
    second = keep_weights(str(moving), "small", 0, tmp_path)
    assert first.name != second.name and first.read_bytes() == before
    assert keep_weights(str(moving), "small", 0, tmp_path) == second


def test_a_model_of_the_same_crops_is_told_of(
    trained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(tmp_path)
    shutil.copy2(PROJECT / "params.yaml", layout.params)
    model = shutil.copytree(trained_model, tmp_path / "champion")
    here = raw_data(tmp_path, load_params(layout.params))
    for raw, told in [(here, True), (here | {"parameters": "others"}, False)]:
        write_json(model / "manifest.json", {"raw": raw})
        keep_weights(str(model), None, None, tmp_path)
        assert ("learned from the crops that params.yaml names" in capsys.readouterr().err) is told


def test_the_model_that_comes_with_saltseg_has_weights_to_keep(tmp_path: Path) -> None:
    assert keep_weights("survey", None, None, tmp_path).stat().st_size > 1e6


def test_another_definition_is_refused(trained_model: Path, tmp_path: Path) -> None:
    kept = keep_weights(str(trained_model), None, None, tmp_path)
    other = define_unet(weights=kept.name, **SMALL | {"decoder_channels": [32, 16, 16]})
    with pytest.raises(InputError, match=r"weights small-\w+\.safetensors are of another network"):
        create_model(other, 0, tmp_path / "weights")


def test_what_is_not_there(trained_model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no member big; name one of small"):
        keep_weights(str(trained_model), "big", None, tmp_path)
    with pytest.raises(InputError, match=r"has no fold 2; name one of 0, 1"):
        keep_weights(str(trained_model), None, 2, tmp_path)
    with pytest.raises(InputError, match=r"none\.safetensors: there is no such file"):
        keep_weights(str(tmp_path / "none.safetensors"), None, None, tmp_path)


def test_an_alias_is_no_weights() -> None:
    with pytest.raises(ValueError, match=r"may be another model tomorrow; run 'saltseg weights"):
        define_unet(weights="models:/saltseg@champion", **SMALL)
