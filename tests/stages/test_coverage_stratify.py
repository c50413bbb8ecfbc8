"""The coverage-stratify stage on a small survey."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.crops.crop_set import load_crops, save_crops
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file, read_json
from saltseg.plumbing.layout import Layout
from saltseg.survey import generate
from stages import coverage_stratify

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A checkout in which the stage has run."""
    layout = Layout(tmp_path_factory.mktemp("checkout"))
    layout.params.write_bytes(PARAMS.read_bytes())
    save_crops(layout.data("ingest"), generate(24, 12, seed=1, workers=0).crops)
    coverage_stratify.main(layout.root)
    return layout


def test_table_adds_to_ingests_table_line_by_line(layout: Layout) -> None:
    crops = load_crops(layout.data("ingest"))
    table = pd.read_parquet(layout.data("coverage-stratify") / "crops.parquet")
    pd.testing.assert_frame_equal(table[crops.table.columns], crops.table)
    train = table[table["split"] == "train"]
    for row, coverage in zip(train["row"], train["coverage"], strict=True):
        assert coverage == crops.train_masks[row].mean()
    assert (train["coverage_class"] == np.ceil(10 * train["coverage"])).all()
    assert (table.loc[table["split"] == "test", "coverage_class"] == -1).all()


def test_neighbours_share_a_mosaic(layout: Layout) -> None:
    table = pd.read_parquet(layout.data("coverage-stratify") / "crops.parquet")
    mosaic = table.set_index("id")["mosaic"]
    neighbours = pd.read_parquet(layout.data("coverage-stratify") / "neighbours.parquet")
    assert neighbours.columns.tolist() == ["id", "neighbour", "side", "correlation"]
    assert len(neighbours) > 5
    assert neighbours["id"].map(mosaic).equals(neighbours["neighbour"].map(mosaic))
    assert (table["mosaic"] == table.groupby("mosaic")["id"].transform("min")).all()


def test_counts_and_plots_agree_with_the_table(layout: Layout) -> None:
    table = pd.read_parquet(layout.data("coverage-stratify") / "crops.parquet")
    result = read_json(layout.result("coverage-stratify"))
    assert sum(result[f"class_{number:02d}"] for number in range(11)) == 24
    assert result["crops_with_neighbour"] == table["mosaic"].duplicated(keep=False).sum()
    plots = layout.plots("coverage-stratify")
    for name in ("coverage", "classes"):
        assert pd.read_csv(plots / f"{name}.csv")["crops"].sum() == 24
    for name in ("coverage", "depth"):
        assert (plots / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_run_writes_the_same_bytes(layout: Layout) -> None:
    folders = layout.data("coverage-stratify"), layout.root / "results"
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    before = [hash_file(path) for path in files]
    coverage_stratify.main(layout.root)
    assert [hash_file(path) for path in files] == before


def test_missing_crops_are_named(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes(PARAMS.read_bytes())
    with pytest.raises(InputError, match=r"crops\.parquet: cannot be read .*run dvc repro"):
        coverage_stratify.main(tmp_path)
