"""A model as ONNX, on networks of every option of the ensemble."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.config.params import load_params
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_json
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.outputs import OUTPUTS
from saltseg.project.lineage import code_digest
from saltseg.serving.onnx_check import by_onnxruntime, checked_agreement, section_crops
from saltseg.serving.salt_model import SaltModel
from tests.conftest import shrunk_content
from tests.helpers.model_definitions import define_input
from tests.helpers.trained import write_snapshots

pytestmark = pytest.mark.slow  # the trace of a whole ensemble


def make_model(folder: Path, threshold: float) -> Path:
    """Two members of unequal weight, one of which reads depths, seen in scaled views too."""
    layout, content = Layout(folder), shrunk_content()
    plain = {"architecture": "plain_cnn", "filters": 4, "layers": 2}
    padded = define_input(fit="reflect", size=111, channels=["image", "depth"])
    members = {"flat": plain | {"input": define_input()}, "deep": plain | {"input": padded}}
    content["models"] |= members
    content["train_per_fold"] |= {"members": [*members], "folds": [1]}
    content["snapshot_ensemble"] |= {"scales": [0.9], "snapshot_decay": 0.5}
    content["snapshot_ensemble"]["member_weights"] = {"deep": 3.0}
    layout.params.write_text(yaml.safe_dump(content))
    write_snapshots(layout, load_params(layout.params))
    settings = {"threshold": threshold, "salt_size": 40, "hole_size": 20, "code": code_digest()}
    write_json(folder / "model.json", settings)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"), threshold=0.5)


@pytest.fixture(scope="module")
def exported(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("exported") / "salt.onnx"
    result = CliRunner().invoke(app, ["export-onnx", str(path), "--model", str(model)])
    assert result.exit_code == 0, result.output
    return path, result.output


def test_it_finds_the_salt_that_the_pipeline_finds(model: Path, exported: tuple[Path, str]) -> None:
    crops, depth = section_crops()[:7], np.linspace(50, 900, 7).astype(np.float32)
    known = SaltModel(model).predict(crops, depth)
    found = by_onnxruntime(exported[0], crops, depth)
    np.testing.assert_allclose(found.probabilities, known.probabilities, atol=0.02)
    assert (found.masks != known.masks).mean() < 0.01 and 0.05 < known.masks.mean() < 0.95
    assert exported[1].startswith(f"{exported[0]}: checked; masks differ from the model's in")


def test_the_file_says_how_masks_are_made(exported: tuple[Path, str]) -> None:
    session = onnxruntime.InferenceSession(exported[0], providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    assert (said["threshold"], said["salt_size"], said["hole_size"]) == ("0.5", "40", "20")
    assert [(each.name, each.shape) for each in session.get_inputs()] == [
        ("images", ["crops", 101, 101]),
        ("depth", ["crops"]),
    ]


def test_it_names_no_path_of_this_machine(exported: tuple[Path, str]) -> None:
    assert {path.name for path in exported[0].parent.iterdir()} == {"salt.onnx", OUTPUTS}
    content = exported[0].read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in content and b"stack_trace" not in content


def test_a_second_export_is_the_same(exported: tuple[Path, str], model: Path) -> None:
    again = exported[0].with_name("again.onnx")
    result = CliRunner().invoke(app, ["export-onnx", str(again), "--model", str(model)])
    assert result.exit_code == 0, result.output
    assert again.read_bytes() == exported[0].read_bytes()


def test_a_file_is_kept_unless_told(exported: tuple[Path, str], model: Path) -> None:
    before = exported[0].read_bytes()
    wrong = {
        exported[0]: "replace it with --force",
        exported[0].with_suffix(".pt"): ".onnx",
    }
    for path, said in wrong.items():
        result = CliRunner().invoke(app, ["export-onnx", str(path), "--model", str(model)])
        assert (result.exit_code, result.output.count("\n")) == (1, 1) and said in result.output
    assert exported[0].read_bytes() == before


@pytest.mark.parametrize("name", ["salt.onnx", "salt.onnx.data"])
def test_a_file_of_others_is_kept_in_any_case(tmp_path: Path, model: Path, name: str) -> None:
    (tmp_path / name).write_text("of others")
    command = ["export-onnx", str(tmp_path / "salt.onnx"), "--model", str(model), "--force"]
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert f"{name}: exists, and is not as saltseg made it" in result.output
    assert (tmp_path / name).read_text() == "of others"


def test_a_graph_that_finds_other_salt_is_told(exported: tuple[Path, str], tmp_path: Path) -> None:
    other = make_model(tmp_path, threshold=0.45)
    with pytest.raises(InputError, match="its graph finds other salt"):
        checked_agreement(exported[0], other, deep=True)
