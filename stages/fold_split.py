"""fold-split: divide the training crops into folds.

    python stages/fold_split.py

Reads data/coverage-stratify. Writes data/fold-split/folds.parquet, the balance of the folds and
the leakage between them in results/fold-split.json, and the class counts of each fold.
"""

from pathlib import Path

import pandas as pd

from saltseg.config.params import load_params
from saltseg.crops import folds
from saltseg.crops.crop_set import load_table, split_table
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import write_csv, write_table
from saltseg.plumbing.layout import Layout
from saltseg.reports.charts import bar_chart
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage in the checkout at `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    with stage_run("fold-split", layout, params) as run:
        train = split_table(load_table(layout.data("coverage-stratify") / "crops.parquet"), "train")
        neighbours = load_table(layout.data("coverage-stratify") / "neighbours.parquet")
        split = params.fold_split
        seed = params.base.seed if split.seed is None else split.seed
        assigned = folds.assign_folds(train, split.n_folds, split.strategy, seed)
        known = train[["id", "coverage_class", "mosaic"]]
        by_id = assigned.merge(known, on="id", validate="one_to_one")
        write_table(layout.data("fold-split") / "folds.parquet", by_id)
        table = train.merge(assigned, on="id", validate="one_to_one")
        run.metrics(folds.summary(table, neighbours))
        draw(layout.plots("fold-split"), folds.class_balance(table))
        run.artifact(layout.plots("fold-split"))


def draw(folder: Path, balance: pd.DataFrame) -> None:
    """Write the class counts of each fold as a table and a chart."""
    write_csv(folder / "class_balance.csv", balance)
    by_fold = balance.pivot(index="coverage_class", columns="fold", values="crops")
    bar_chart(
        folder / "class_balance.png",
        list(by_fold.index),
        {f"fold {number}": by_fold[number].to_numpy() for number in by_fold.columns},
        "coverage class",
        "Classes of each fold",
    )


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
