from pathlib import Path
from typing import Any

import pytest
import yaml

from saltseg.errors import InputError
from saltseg.params import load_params, parse_params
from tests.conftest import PROJECT, shrunk_content


def test_the_real_file_is_valid() -> None:
    params = load_params(PROJECT / "params.yaml")
    assert params.train_per_fold.members[0] in params.models


def change(content: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    *parents, last = field.split(".")
    section = content
    for name in parents:
        section = section[name]
    section[last] = value
    return content


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("fold_split.strategy", "random", "'random' is not allowed: Input should be 'coverage'"),
        ("fold_split.n_folds", 1, "greater than or equal to 2"),
        ("fold_split.n_folds", "5", "'5' is not allowed: Input should be a valid integer"),
        ("ingest.rawdir", "x", "ingest.rawdir: 'x' is not allowed: Extra inputs"),
        ("models.lite0.architecture", "net", "models.lite0"),
        ("train_per_fold.members", ["none_such"], "'none_such' is none of lite0, class_unet"),
        ("train_per_fold.folds", [0, 2], "train_per_fold.folds: 2 is none of 0, 1"),
        ("train_per_fold.folds", [0, 0], "names one twice"),
        ("pseudolabel.teacher", "none_such", "pseudolabel.teacher"),
        ("snapshot_ensemble.member_weights", {"lite0": 1.0}, "member_weights: 'lite0' is none of"),
        ("threshold_search.low", 0.95, "must be below threshold_search.high"),
        ("submit.examples", 0, "greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_named(field: str, value: object, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_params(change(shrunk_content(), field, value), "params.yaml")
    message = str(caught.value)
    assert message.startswith("params.yaml: ")
    assert said in message
    assert "\n" not in message


def test_a_missing_field_is_named() -> None:
    content = shrunk_content()
    del content["base"]["seed"]
    with pytest.raises(InputError, match=r"base\.seed: is missing"):
        parse_params(content, "params.yaml")


def test_training_without_snapshots_is_refused() -> None:
    content = shrunk_content()
    for phase in content["train_per_fold"]["phases"]:
        phase["snapshots"] = False
    with pytest.raises(InputError, match="no phase keeps snapshots"):
        parse_params(content, "params.yaml")


def test_exponents_without_a_point_are_numbers(tmp_path: Path) -> None:
    # PyYAML reads 1e-3 as a string, DVC as a number.
    content = change(shrunk_content(), "training.optimizer.weight_decay", 0.25)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content).replace("0.25", "1e-3"))
    assert load_params(path).training.optimizer.weight_decay == 0.001


def test_a_file_that_is_no_yaml_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("base: [")
    with pytest.raises(InputError, match=r"params\.yaml: cannot be read as YAML") as caught:
        load_params(path)
    assert "\n" not in str(caught.value)
