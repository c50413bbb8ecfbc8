"""coverage-stratify: say of every crop what is known before learning.

    python stages/coverage_stratify.py

Reads data/ingest. Writes data/coverage-stratify (crops.parquet, neighbours.parquet), the counts in
results/coverage-stratify.json, and the distributions of coverage and depth.
"""

from pathlib import Path

import pandas as pd

from saltseg import coverage, mosaics
from saltseg.crops import load_crops, split_table
from saltseg.errors import one_line_errors
from saltseg.figures import bar_chart, chart, line_chart
from saltseg.files import write_csv, write_table
from saltseg.layout import Layout
from saltseg.params import load_params
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage in the checkout at `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    with stage_run("coverage-stratify", layout, params) as run:
        crops = load_crops(layout.data("ingest"))
        matching = params.coverage_stratify
        neighbours = mosaics.crop_neighbours(crops, matching.min_correlation, matching.min_margin)
        table = coverage.describe_crops(crops)
        table["mosaic"] = mosaics.name_mosaics(table["id"], neighbours)
        write_table(layout.data("coverage-stratify") / "crops.parquet", table)
        write_table(layout.data("coverage-stratify") / "neighbours.parquet", neighbours)
        counts = mosaics.count_mosaics(table["mosaic"], neighbours)
        run.metrics({**coverage.count_crops(table), **counts})
        draw(layout.plots("coverage-stratify"), table)
        run.artifact(layout.plots("coverage-stratify"))


def draw(folder: Path, table: pd.DataFrame) -> None:
    """Write the distributions as tables and as pictures."""
    train = split_table(table, "train")
    cover, depth = coverage.coverage_distribution(train), coverage.depth_distribution(table)
    write_csv(folder / "coverage.csv", cover)
    write_csv(folder / "depth.csv", depth)
    write_csv(folder / "classes.csv", coverage.class_summary(train))
    up_to = [f"{share:g}" for share in cover["up_to"]]
    bar_chart(
        folder / "coverage.png",
        up_to,
        {"crops": cover["crops"]},
        "coverage up to",
        "crops",
        "Coverage of the training crops",
    )
    shares = {split: depth[split] for split in ("train", "test")}
    line_chart(
        folder / "depth.png", depth["depth"], shares, "depth (feet)", "share of crops", "Depth"
    )
    title = "Each class is a tenth of coverage"
    with chart(folder / "classes.png", "coverage", "coverage class", title) as axes:
        axes.scatter(train["coverage"], train["coverage_class"], s=4)
        axes.set_xticks([tenth / 10 for tenth in range(coverage.CLASSES)])
        axes.set_yticks(range(coverage.CLASSES))
        axes.grid(alpha=0.3)


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
