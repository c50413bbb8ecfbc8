"""The fold-split stage on a table of crops with mosaics."""

from pathlib import Path

import pandas as pd
import pytest

from saltseg.plumbing.files import hash_file, read_json, write_table
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from stages import fold_split

PARAMS = Path(__file__).parents[2] / "params.yaml"

TRAIN, TEST = 120, 30


def write_crops(layout: Layout, order: pd.Index | None = None) -> None:
    """Write what coverage-stratify hands on; train crops in mosaics of two, side by side."""
    rng = generator(1, "test crops")
    ids = [f"crop{number:03d}" for number in range(TRAIN + TEST)]
    classes = rng.integers(0, 11, TRAIN)
    table = pd.DataFrame(
        {
            "id": ids,
            "split": ["train"] * TRAIN + ["test"] * TEST,
            "row": [*range(TRAIN), *range(TEST)],
            "depth": rng.integers(50, 960, TRAIN + TEST),
            "coverage": [*(classes / 10), *[float("nan")] * TEST],
            "coverage_class": [*classes, *[-1] * TEST],
            "mosaic": [ids[number - number % 2] for number in range(TRAIN + TEST)],
        }
    )
    folder = layout.data("coverage-stratify")
    write_table(folder / "crops.parquet", table if order is None else table.loc[order])
    pairs = {"id": ids[::2], "neighbour": ids[1::2], "side": "right", "correlation": 0.95}
    write_table(folder / "neighbours.parquet", pd.DataFrame(pairs))


def make_checkout(root: Path, strategy: str = "coverage_grouped") -> Layout:
    layout = Layout(root)
    text = PARAMS.read_text()
    assert "strategy: coverage_grouped" in text
    layout.params.write_text(text.replace("strategy: coverage_grouped", f"strategy: {strategy}"))
    write_crops(layout)
    return layout


def test_every_train_crop_and_no_other_has_a_fold(tmp_path: Path) -> None:
    layout = make_checkout(tmp_path)
    fold_split.main(tmp_path)
    folds = pd.read_parquet(layout.data("fold-split") / "folds.parquet")
    assert folds["id"].tolist() == [f"crop{number:03d}" for number in range(TRAIN)]
    assert folds.dtypes.astype(str)["fold"] == "int64"
    assert set(folds["fold"]) == {0, 1}
    known = pd.read_parquet(layout.data("coverage-stratify") / "crops.parquet").head(TRAIN)
    for column in ("coverage_class", "mosaic"):
        assert folds[column].tolist() == known[column].tolist()


def test_grouping_by_mosaic_stops_the_leak(tmp_path: Path) -> None:
    leaks = {}
    for strategy in ("coverage_grouped", "coverage"):
        (tmp_path / strategy).mkdir()
        layout = make_checkout(tmp_path / strategy, strategy)
        fold_split.main(layout.root)
        leaks[strategy] = read_json(layout.result("fold-split"))["share_beside_other_folds"]
    assert leaks["coverage_grouped"] == 0
    assert 0.2 < leaks["coverage"] < 0.8


def test_row_order_changes_no_byte(tmp_path: Path) -> None:
    layout = make_checkout(tmp_path)
    files = [
        layout.data("fold-split") / "folds.parquet",
        layout.result("fold-split"),
        *(layout.plots("fold-split") / f"class_balance.{kind}" for kind in ("csv", "png")),
    ]
    fold_split.main(tmp_path)
    before = [hash_file(path) for path in files]
    write_crops(layout, pd.RangeIndex(TRAIN + TEST)[::-1])
    fold_split.main(tmp_path)
    assert [hash_file(path) for path in files] == before


def test_a_seed_of_the_split_keeps_the_folds_under_every_other_seed(tmp_path: Path) -> None:
    layout = make_checkout(tmp_path)
    text = layout.params.read_text()

    def folds(base: int, own: str) -> str:
        changed = text.replace("seed: 2018", f"seed: {base}").replace("seed: null", f"seed: {own}")
        layout.params.write_text(changed)
        fold_split.main(tmp_path)
        return hash_file(layout.data("fold-split") / "folds.parquet")

    assert folds(7, "null") != folds(8, "null") == folds(7, "8") == folds(9, "8")


@pytest.mark.parametrize("strategy", ["coverage", "depth", "coverage_grouped"])
def test_metrics_and_plots_agree_with_the_folds(tmp_path: Path, strategy: str) -> None:
    layout = make_checkout(tmp_path, strategy)
    fold_split.main(tmp_path)
    result = read_json(layout.result("fold-split"))
    assert result["fold_0"]["crops"] + result["fold_1"]["crops"] == result["crops"] == TRAIN
    balance = pd.read_csv(layout.plots("fold-split") / "class_balance.csv")
    assert balance.groupby("fold")["crops"].sum().tolist() == [
        result["fold_0"]["crops"],
        result["fold_1"]["crops"],
    ]
