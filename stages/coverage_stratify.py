"""coverage-stratify: describe every crop by its pixels: coverage, class, mosaic.

    python stages/coverage_stratify.py

Reads data/ingest. Writes data/coverage-stratify (crops.parquet, neighbours.parquet), the counts in
results/coverage-stratify.json, and the distributions of coverage and depth.
"""

from pathlib import Path

from saltseg.config.params import load_params
from saltseg.crops import coverage, mosaics
from saltseg.crops.crop_set import load_crops
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import write_table
from saltseg.plumbing.layout import Layout
from saltseg.reports.coverage_figure import draw_distributions
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage in the checkout at `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    with stage_run("coverage-stratify", layout, params) as run:
        crops = load_crops(layout.data("ingest"))
        table, neighbours = mosaics.describe_mosaics(crops, params.coverage_stratify)
        write_table(layout.data("coverage-stratify") / "crops.parquet", table)
        write_table(layout.data("coverage-stratify") / "neighbours.parquet", neighbours)
        counts = mosaics.count_mosaics(table["mosaic"], neighbours)
        run.metrics({**coverage.count_classes(table), **counts})
        draw_distributions(layout.plots("coverage-stratify"), table)
        run.artifact(layout.plots("coverage-stratify"))


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
