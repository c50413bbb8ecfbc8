"""What a pipeline's run shows: its description, and pictures and tables by kind."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from saltseg.plumbing.files import write_csv
from saltseg.reports.charts import bar_chart
from saltseg.reports.contact_sheet import Group, contact_sheet
from saltseg.tracking.run_artifacts import Artifacts, complete, gather
from saltseg.tracking.run_description import description

PLACES = [
    "train-per-fold/lite0/0",
    "train-per-fold/lite0/1",
    "threshold-search",
    "postprocess-connected-components",
    "submit",
]


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plots as the stages write them, and what an earlier list of folds has left."""
    folder = tmp_path_factory.mktemp("plots")
    for fold in "017":
        history = pd.DataFrame({"epoch": [1, 2], "validation_score": [0.25, 0.5]})
        write_csv(folder / "train-per-fold" / "lite0" / fold / "history.csv", history)
    bar_chart(folder / "threshold-search" / "curve.png", [0, 1], {"a": [0, 1]}, "x", "t")
    errors = pd.DataFrame({"coverage_class": [0, 3], "crops": [40, 2], "score_before": 0.5})
    errors = errors.assign(score=0.6, iou=0.7, boundary_distance=[np.nan, 2.5])
    write_csv(folder / "postprocess-connected-components" / "by_coverage.csv", errors)
    contact_sheet(folder / "submit" / "predictions.png", [Group("none", [])])
    contact_sheet(folder / "submit" / "pseudolabels_0.png", [Group("none", [])])
    return folder


@pytest.fixture(scope="module")
def artifacts(plots: Path) -> Artifacts:
    return complete(gather(plots, PLACES))


def test_the_artifacts_of_a_run_are_in_folders_by_kind(artifacts: Artifacts) -> None:
    assert set(artifacts) == {
        "contact-sheets/pseudolabels_0.png",
        "contact-sheets/test_predictions.png",
        "curves/lite0_fold_0.csv",
        "curves/lite0_fold_1.csv",
        "curves/lite0_folds.png",
        "curves/threshold.png",
        "errors/by_coverage.csv",
        "thumbnails/lite0_folds.png",
        "thumbnails/test_predictions.png",
        "thumbnails/threshold.png",
    }


def test_each_fold_is_drawn_over_its_own_epochs() -> None:
    def drawn(*folds: list[int]) -> bytes:
        lines = ("".join(f"{epoch},0.5\n" for epoch in epochs) for epochs in folds)
        tables = (f"epoch,validation_score\n{each}".encode() for each in lines)
        named = {f"curves/lite0_fold_{fold}.csv": table for fold, table in enumerate(tables)}
        return complete(named)["curves/lite0_folds.png"]

    assert drawn([0, 1, 2], [0, 1]) != drawn([0, 1, 2])
    assert drawn([0, 1, 8]) != drawn([0, 1, 2])


def test_thumbnails_fit_the_page(artifacts: Artifacts) -> None:
    widths = {
        name: Image.open(io.BytesIO(content)).width
        for name, content in artifacts.items()
        if name.startswith("thumbnails/")
    }
    assert max(widths.values()) <= 820
    assert widths["thumbnails/threshold.png"] + widths["thumbnails/lite0_folds.png"] <= 820


def learned_and_chosen(parts: str) -> dict[str, Any]:
    """Return the metrics of a training and of thresholds chosen for two `parts`."""
    return {
        "train-per-fold/lite0/0": {"validation_score": 0.5},
        "threshold-search": {
            "parts": parts,
            "threshold_by_part": {"0": 0.5, "1": 0.45},
            "score_by_part": {"0": 0.75, "1": 0.625},
        },
    }


def test_the_description_opens_with_the_score_and_counts_the_crops_of_each_error(
    artifacts: Artifacts,
) -> None:
    results = learned_and_chosen("folds") | {
        "postprocess-connected-components": {
            "crops": 42,
            "score": 0.71239,
            "score_low": 0.7,
            "score_high": 0.72,
        },
        "submit": {"test_score": 0.5, "test_score_low": 0.25, "test_score_high": 0.75},
    }
    page = description(results, artifacts, "abc")
    assert page.startswith("## Score 0.7124, 95% interval 0.7000 to 0.7200\n")
    assert "**0.5000, 95% interval 0.2500 to 0.7500**" in page
    assert "| 0 | 0.500 | 0.7500 | 0.5000 |\n| 1 | 0.450 | 0.6250 |  |" in page
    assert "chosen on other folds" in page
    assert "| 0 | 40 | 0.5000 | 0.6000 | 0.7000 | - |" in page
    assert "| 3 | 2 | 0.5000 | 0.6000 | 0.7000 | 2.5000 |" in page
    assert "(get-artifact?path=thumbnails%2Ftest_predictions.png&run_uuid=abc)" in page
    assert "- `contact-sheets`" in page
    assert "- `crops`" not in page


def test_parts_of_a_single_fold_are_no_folds() -> None:
    page = description(learned_and_chosen("mosaics"), {}, "abc")
    assert page.startswith("### By part of the mosaics, before cleaning")
    assert "fold" not in page and "alone" not in page
    assert "| 0 | 0.500 | 0.7500 |\n| 1 | 0.450 | 0.6250 |" in page


def test_a_run_of_the_first_stages_has_a_short_page() -> None:
    assert description({"ingest": {"train_crops": 3}}, {}, "abc") == ""
