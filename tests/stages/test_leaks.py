"""The two stages that learn read nothing that knows the labels of the fold they are run for."""

from pathlib import Path

import pandas as pd
import yaml

from saltseg.crops.crop_set import load_array, load_table
from saltseg.plumbing.files import hash_file, write_array
from saltseg.plumbing.layout import Layout
from stages import pseudolabel, train_per_fold
from tests.helpers.phases import write_schedule

FOLD, OTHER = 0, 1


def learn(layout: Layout) -> dict[str, str]:
    """Run both stages for both folds; return the hashes of their teachers' labels and models."""
    for fold in (FOLD, OTHER):
        pseudolabel.main(layout.root, fold)
    for fold in (FOLD, OTHER):
        train_per_fold.main(layout.root, "class_unet", fold)
    folders = [layout.data("pseudolabel"), layout.models]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(layout.root)): hash_file(path) for path in sorted(files)}


def turn_labels(layout: Layout, fold: int) -> None:
    """Turn the masks of one fold into their opposite; the folds stay as they are."""
    folder = layout.data("ingest")
    folds: pd.DataFrame = load_table(layout.data("fold-split") / "folds.parquet")
    table = load_table(folder / "crops.parquet").merge(folds[["id", "fold"]], on="id")
    masks = load_array(folder / "train_masks.npy").copy()
    rows = table.loc[table["fold"] == fold, "row"].to_numpy()
    assert 0 < len(rows) < len(masks)
    masks[rows] = ~masks[rows]
    write_array(folder / "train_masks.npy", masks)


def test_the_models_of_a_fold_do_not_change_with_its_labels(folded: Layout) -> None:
    """The labels are soft and the steps wide, so that what a teacher learned shows in them.

    And members go on from their teachers.
    """
    content = yaml.safe_load(folded.params.read_text())
    content["pseudolabel"] |= {"soft": True, "warm_start": True}
    content["pseudolabel"]["phases"][0]["schedule"] = write_schedule("cosine")
    folded.params.write_text(yaml.safe_dump(content, sort_keys=False))
    known = learn(folded)
    turn_labels(folded, FOLD)
    changed = learn(folded)
    assert known.keys() == changed.keys()
    same = {name for name in known if known[name] == changed[name]}
    own = {name for name in known if Path(name).parent.name == str(FOLD)}
    assert len(own) == 5
    assert own <= same
    # The other fold's teacher and member did learn from them, and would have told of them.
    others = {name for name in known if name.endswith((".npy", ".safetensors"))} - own
    assert len(others) == 4 and not others & same
