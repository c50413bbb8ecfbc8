"""The distributions of coverage and depth, as tables and as charts."""

from pathlib import Path

import pandas as pd

from saltseg.crops.coverage import (
    DEPTH_BIN,
    class_summary,
    coverage_distribution,
    depth_distribution,
)
from saltseg.crops.crop_set import split_table
from saltseg.plumbing.files import write_csv
from saltseg.reports.charts import bar_chart, histogram


def draw_distributions(folder: Path, table: pd.DataFrame) -> None:
    """Write coverage and depth, each as .csv and .png, and classes.csv; no depth.png of no depth.

    table: as written by coverage-stratify.
    """
    train = split_table(table, "train")
    _draw_coverage(folder, coverage_distribution(train))
    _draw_depth(folder, depth_distribution(table))
    write_csv(folder / "classes.csv", class_summary(train))


def _draw_coverage(folder: Path, distribution: pd.DataFrame) -> None:
    write_csv(folder / "coverage.csv", distribution)
    names = [f"{100 * share:.0f}" for share in distribution["up_to"]]
    bars = {"crops": distribution["crops"].to_numpy()}
    title = "Coverage of the training crops"
    bar_chart(folder / "coverage.png", names, bars, "coverage up to (%)", title)


def _draw_depth(folder: Path, distribution: pd.DataFrame) -> None:
    write_csv(folder / "depth.csv", distribution)
    if distribution.empty:
        return
    shallow = distribution["depth"].tolist()
    shares = {split: distribution[split].to_numpy() for split in ("train", "test")}
    edges = [*shallow, shallow[-1] + DEPTH_BIN]
    title = f"Depth of the crops, in bins of {DEPTH_BIN} ft"
    histogram(folder / "depth.png", edges, shares, "depth (feet)", "share of crops", title)
