"""Labels of full columns that are copied down a mosaic."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.inference.spot_check import check_masks
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_json, write_array, write_table
from saltseg.plumbing.layout import Layout
from saltseg.scoring.metric import precision
from saltseg.selection.vertical_labels import labels_above, with_copies
from stages import postprocess_connected_components, threshold_search
from tests.helpers.crops_and_probabilities import write_inputs

NAME = "postprocess-connected-components"


def neighbours(*pairs: str) -> pd.DataFrame:
    """Return a table of the neighbours below, and of one to the right; "ab": b is below a."""
    lines = [{"id": pair[0], "neighbour": pair[1], "side": "below"} for pair in pairs]
    return pd.DataFrame([*lines, {"id": "a", "neighbour": "r", "side": "right"}])


def test_the_nearest_label_above_is_copied_if_it_is_vertical() -> None:
    """Of a column a to f, with a, c and d labelled; no crop's own label counts."""
    found = labels_above(
        list("abcdefr"),
        neighbours("ab", "bc", "cd", "de", "ef"),
        pd.Series({"a": True, "c": False, "d": True}),
    )
    assert found == {"b": "a", "c": "a", "e": "d", "f": "d"}


def test_a_circle_of_false_matches_ends() -> None:
    pairs = neighbours("xy", "yz", "zx", "ab", "ba")
    assert labels_above(list("xyzab"), pairs, pd.Series({"a": True})) == {"b": "a"}


def test_copies_take_their_places_and_change_nothing_else() -> None:
    masks = np.zeros((4, 2, 2), bool)
    copies = {1: np.ones((2, 2), bool), 5: np.eye(2, dtype=bool)}
    assert with_copies(masks, copies).sum(axis=(1, 2)).tolist() == [0, 4, 0, 0]
    assert with_copies(masks, copies, start=4).sum(axis=(1, 2)).tolist() == [0, 2, 0, 0]
    assert not masks.any()


def run(layout: Layout, copy: bool) -> dict[str, np.ndarray]:
    text = layout.params.read_text().split("submit:")
    section = f"  copy_vertical: {str(copy).lower()}\nsubmit:"
    layout.params.write_text(text[0].split("  copy_vertical")[0] + section + text[-1])
    postprocess_connected_components.main(layout.root)
    names = ("out_of_fold_masks", "test_masks")
    return {name: np.load(layout.data(NAME) / f"{name}.npy") for name in names}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A train crop of full columns, above another and above a test crop."""
    write_inputs(tmp_path, [0, 1, 2])
    layout = Layout(tmp_path)
    masks = layout.data("ingest") / "train_masks.npy"
    labels = np.load(masks)
    labels[6] = np.arange(101) > 70
    write_array(masks, labels)
    file = layout.data("coverage-stratify") / "crops.parquet"
    table = pd.read_parquet(file)
    table.loc[table["id"] == "train00006", "vertical"] = True
    write_table(file, table)
    lower = pd.DataFrame({"id": "train00006", "neighbour": ["train00007", "test000003"]})
    lower["side"] = "below"
    write_table(file.with_name("neighbours.parquet"), lower)
    threshold_search.main(tmp_path)
    return layout


def test_masks_and_scores_know_the_copies(layout: Layout) -> None:
    plain, copied = run(layout, copy=False), run(layout, copy=True)
    label = np.load(layout.data("ingest") / "train_masks.npy")[6]
    for name, place in (("out_of_fold_masks", 7), ("test_masks", 3)):
        changed = (plain[name] != copied[name]).any(axis=(1, 2))
        assert np.flatnonzero(changed).tolist() == [place]
        np.testing.assert_array_equal(copied[name][place], label)
    truth = np.load(layout.data("ingest") / "train_masks.npy")
    scores = precision(copied["out_of_fold_masks"], truth)
    assert read_json(layout.result(NAME))["score"] == pytest.approx(scores.mean())
    again = run(layout, copy=True)
    assert all(np.array_equal(copied[name], again[name]) for name in copied)


def test_the_check_before_a_submission_knows_the_copies(layout: Layout) -> None:
    plain, copied = run(layout, copy=False), run(layout, copy=True)
    table = pd.read_parquet(layout.data("coverage-stratify") / "crops.parquet")
    chosen = table[table["split"] == "test"].sort_values("row")
    known = np.load(layout.data("snapshot-ensemble") / "test.npy")
    check_masks(layout, chosen, known, copied["test_masks"])
    with pytest.raises(InputError, match=r"test_masks\.npy: crop test000003: "):
        check_masks(layout, chosen, known, plain["test_masks"])
