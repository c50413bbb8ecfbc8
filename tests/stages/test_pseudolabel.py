import subprocess
import sys

import yaml

from saltseg.crops.crop_set import load_table
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.selection.pseudolabels import load_pseudolabels
from stages import pseudolabel
from tests.conftest import PROJECT, shrunk_content


def test_kept_crops_are_test_crops_with_masks(folded: Layout) -> None:
    pseudolabel.main(folded.root, 0)
    labels = load_pseudolabels(folded.data("pseudolabel", 0))
    table = load_table(folded.data("coverage-stratify") / "crops.parquet")
    test = table[table["split"] == "test"]
    assert set(labels.table["id"]) == set(test["id"])
    # The shrunk rule keeps whatever is not black.
    assert set(labels.kept["id"]) == set(test.loc[~test["black"], "id"])
    assert len(labels.masks) == len(labels.kept)
    result = read_json(folded.result("pseudolabel", 0))
    assert result["kept"] == len(labels.kept) and result["black"] == test["black"].sum()
    assert not any(folded.checkpoints.iterdir())


def test_disabled_it_gives_an_empty_set_without_torch(folded: Layout) -> None:
    content = shrunk_content()
    content["pseudolabel"]["enabled"] = False
    folded.params.write_text(yaml.safe_dump(content))
    program = (
        "import sys; from pathlib import Path; from stages import pseudolabel; "
        f"pseudolabel.main(Path({str(folded.root)!r}), 1); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
    assert len(load_pseudolabels(folded.data("pseudolabel", 1)).table) == 0
    assert read_json(folded.result("pseudolabel", 1))["kept"] == 0
