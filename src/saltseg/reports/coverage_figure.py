"""The distributions of coverage and depth, as tables and as pictures."""

from pathlib import Path

import pandas as pd

from saltseg.crops.coverage import (
    CLASSES,
    class_summary,
    coverage_distribution,
    depth_distribution,
)
from saltseg.crops.crop_set import split_table
from saltseg.plumbing.files import write_csv
from saltseg.reports.figures import bar_chart, chart, line_chart


def draw_distributions(folder: Path, table: pd.DataFrame) -> None:
    """Write coverage, depth and classes, each as .csv and .png; `table` as coverage-stratify's."""
    train = split_table(table, "train")
    _draw_coverage(folder, coverage_distribution(train))
    _draw_depth(folder, depth_distribution(table))
    write_csv(folder / "classes.csv", class_summary(train))
    _draw_classes(folder / "classes.png", train)


def _draw_coverage(folder: Path, distribution: pd.DataFrame) -> None:
    write_csv(folder / "coverage.csv", distribution)
    names = [f"{100 * share:.0f}" for share in distribution["up_to"]]
    bars = {"crops": distribution["crops"].to_numpy()}
    title = "Coverage of the training crops"
    bar_chart(folder / "coverage.png", names, bars, "coverage up to (%)", "crops", title)


def _draw_depth(folder: Path, distribution: pd.DataFrame) -> None:
    write_csv(folder / "depth.csv", distribution)
    depth = distribution["depth"].to_numpy()
    lines = {split: distribution[split].to_numpy() for split in ("train", "test")}
    title = "Depth of the crops"
    line_chart(folder / "depth.png", depth, lines, "depth (feet)", "share of crops", title)


def _draw_classes(path: Path, train: pd.DataFrame) -> None:
    """Set each training crop's class over its coverage: a point outside its cell is an error."""
    title = "A class is a begun tenth of coverage"
    with chart(path, "coverage", "coverage class", title) as axes:
        axes.scatter(train["coverage"], train["coverage_class"], s=4)
        axes.set_xticks([tenth / 10 for tenth in range(CLASSES)])
        axes.set_yticks(range(CLASSES))
        axes.grid(alpha=0.3)
