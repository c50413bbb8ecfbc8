"""One name for the score; records that have its old names are still read."""

from typing import Any

import pytest

from saltseg.project.pipeline import Pipeline
from saltseg.reproduction.differences import metric_changes
from saltseg.serving.promotion import described
from saltseg.tracking.registry import Version
from tests.conftest import PROJECT, shrunk_content

CLEANING = "postprocess-connected-components"


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline((PROJECT / "dvc.yaml").read_bytes(), shrunk_content())


def test_the_score_leads_the_metrics_by_its_own_name(pipeline: Pipeline) -> None:
    results: dict[str, Any] = {
        "ingest": {"crops": 3},
        CLEANING: {"score": 0.5},
        "score": {"score": 0.5, "iou": 0.75},
    }
    found = pipeline.metrics(results)
    assert list(found) == ["score", "iou", "ingest/crops", f"{CLEANING}/score"]
    assert "score" not in pipeline.metrics(results, before="submit")


def test_the_score_of_an_earlier_run_is_none_of_this_one(pipeline: Pipeline) -> None:
    results: dict[str, Any] = {CLEANING: {"score": 0.6}, "score": {"score": 0.5}}
    assert pipeline.metrics(results) == {f"{CLEANING}/score": 0.6}
    old = {CLEANING: {"score_after": 0.6, "score_low": 0.5}}
    assert pipeline.metrics(old) == {f"{CLEANING}/score_after": 0.6, f"{CLEANING}/score_low": 0.5}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("score", "score_low", "score_high"),
        ("a.score_before_cleaning", "a.score_before_cleaning_low", "a.score_before_cleaning_high"),
        ("a.nested_score", "a.nested_low", "a.nested_high"),
        ("a.score_after", "a.score_low", "a.score_high"),
        ("a.out_of_fold_score", "a.out_of_fold_low", "a.out_of_fold_high"),
    ],
)
def test_a_score_differs_with_its_interval(name: str, low: str, high: str) -> None:
    first = {name: 0.5, low: 0.25, high: 0.75}
    (change,) = metric_changes(first, first | {name: 0.625})
    assert change.values == (0.5, 0.625)
    assert change.spreads == ("0.2500 to 0.7500",) * 2


@pytest.mark.parametrize(
    "names",
    [
        ("score", "score_low", "score_high"),
        ("out_of_fold_score", "out_of_fold_low", "out_of_fold_high"),
    ],
)
def test_a_model_version_is_described_by_either_name(names: tuple[str, ...]) -> None:
    tags = dict(zip(names, ("0.5", "0.25", "0.75"), strict=True))
    version = Version(number="3", run="0123456789abcdef", tags=tags)
    assert described(version) == (
        "version 3 of run 0123456789ab, score 0.5000, 95% interval 0.2500 to 0.7500"
    )
