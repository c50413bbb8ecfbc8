"""The card of a model: what each source of crops can say of it, within MLflow's limit."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from saltseg.plumbing.files import write_json
from saltseg.tracking.model_card import model_card
from saltseg.tracking.run_content import LONGEST_TAG
from tests.conftest import PROJECT, shrunk_content

RESULTS: dict[str, dict[str, Any]] = {
    "fold-split": {"crops": 4000},
    "threshold-search": {
        "parts": "folds",
        "calibration_error": 0.0125,
        "calibration_error_before": 0.25,
    },
    "postprocess-connected-components": {
        "crops": 2400,
        "score": 0.75,
        "score_low": 0.7,
        "score_high": 0.8,
        "locked_folds": "2, 3",
    },
    "submit": {"crops": 18000},
}


def card_of(folder: Path, content: dict[str, Any], results: dict[str, dict[str, Any]]) -> str:
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    write_json(folder / "model.json", {"threshold": 0.45, "salt_size": 160, "hole_size": 20})
    names = ["thumbnails/test_predictions.png"]
    return model_card(folder, results, "models:/saltseg/7", "demo with base.seed=3", "abc", names)


def with_source(source: str) -> dict[str, Any]:
    content = shrunk_content()
    content["ingest"]["source"] = source
    return content


@pytest.mark.parametrize(
    ("source", "data", "limit"),
    [
        ("survey", "crops of the synthetic survey, style `default`", "has seen no real data"),
        ("tgs", "crops of the TGS Salt Identification", "any survey but the challenge's"),
        ("own", "crops of its user's own data, `data/raw`", "repeats their habits"),
    ],
)
def test_a_card_says_what_was_learned_from_and_not_tested(
    tmp_path: Path, source: str, data: str, limit: str
) -> None:
    card = card_of(tmp_path, with_source(source), RESULTS)
    assert card.startswith("## Score 0.7500, 95% interval 0.7000 to 0.8000\n")
    assert "locked folds, 2, 3" in card
    assert f"- **Data:** 4,000 labelled {data}" in card and limit in card
    assert "there is no score on them" in card
    assert "- **Recipe:** demo with base.seed=3" in card
    assert "- **Component sizes:** salt 160, holes 20 pixels" in card
    assert "0.250 off the shares of salt" in card and "0.013 as" in card


def test_a_card_has_the_test_score_where_the_truth_is_known(tmp_path: Path) -> None:
    known = {"test_score": 0.5, "test_score_low": 0.25, "test_score_high": 0.625}
    results = RESULTS | {"submit": RESULTS["submit"] | known}
    card = card_of(tmp_path, with_source("survey"), results)
    assert "**0.5000, 95% interval 0.2500 to 0.6250**" in card
    assert "there is no score on them" not in card


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    assert card_of(tmp_path, with_source("survey"), {}).startswith("![thumbnails/test_predictions")


def test_a_card_of_many_networks_fits_into_mlflow(tmp_path: Path) -> None:
    content = with_source("survey")
    name, lite0 = "a_member_with_a_long_name", yaml.safe_load((PROJECT / "params.yaml").read_text())
    members = [f"{name}_{number}" for number in range(8)]
    content["models"] |= dict.fromkeys(members, lite0["models"]["lite0"])
    content["train_per_fold"]["members"] = members
    assert len(card_of(tmp_path, content, RESULTS)) < LONGEST_TAG
