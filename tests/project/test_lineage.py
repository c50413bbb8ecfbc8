import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from saltseg.config.params import Params, parse_params
from saltseg.config.sections import CHANGES_NOTHING
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.modules import modules
from saltseg.project.dvc_lock import folder_hash
from saltseg.project.lineage import code_digest, locked_outputs, manifest
from tests.conftest import shrunk_content


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "dvc.yaml").write_text("stages: {}")
    (tmp_path / "requirements.lock").write_text("numpy==2")
    for fold in (0, 1):
        folder = tmp_path / "models" / "class_unet" / str(fold)
        folder.mkdir(parents=True)
        (folder / "snapshot_0.safetensors").write_text(f"weights {fold}")
    (tmp_path / "submission.csv").write_text("id,rle_mask\n")
    return Layout(tmp_path)


def made(layout: Layout, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    content = shrunk_content()
    for name, values in changed.items():
        content[name] |= values
    params: Params = parse_params(content, "params.yaml")
    return manifest(layout, params, layout.root / "submission.csv")


def test_equal_inputs_give_an_equal_manifest_anywhere(layout: Layout, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(layout.root, copy, ignore=shutil.ignore_patterns("elsewhere"))
    assert made(Layout(copy)) == made(layout)
    changed = {"workers": 3, "save_seconds": 0}
    assert set(changed) == CHANGES_NOTHING
    assert made(layout, runtime=changed) == made(layout)


def test_each_change_shows_where_it_was_made(layout: Layout) -> None:
    before = made(layout)
    after = made(layout, fold_split={"strategy": "depth"})
    changed = {
        key for key in before["parameters"] if before["parameters"][key] != after["parameters"][key]
    }
    assert changed == {"all", "fold_split"}
    assert made(layout, survey={"test": 13})["raw"] != before["raw"]
    (layout.model("class_unet", 1) / "snapshot_0.safetensors").write_text("others")
    after = made(layout)
    assert after["models"]["class_unet/0"] == before["models"]["class_unet/0"]
    assert after["models"]["class_unet/1"] != before["models"]["class_unet/1"]
    (layout.root / "stages").mkdir()
    (layout.root / "stages" / "submit.py").write_text("pass")
    assert made(layout)["code"]["stages"] != before["code"]["stages"]
    assert made(layout)["code"]["src/saltseg"] == before["code"]["src/saltseg"]


def test_members_from_outside_are_named_by_their_hash(layout: Layout) -> None:
    assert "outside" not in made(layout)
    folder = layout.outside("kaggle")
    folder.mkdir(parents=True)
    (folder / "test.csv").write_text("id")
    before = made(layout, snapshot_ensemble={"outside": ["kaggle"]})
    assert before["outside"] == {"kaggle": f"md5:{folder_hash(folder)}"}
    (folder / "test.csv").write_text("ID")
    assert made(layout, snapshot_ensemble={"outside": ["kaggle"]})["outside"] != before["outside"]


def test_hidden_files_are_no_code(tmp_path: Path) -> None:
    """What a notebook, macOS and emacs leave is neither hashed nor shipped with a model."""
    package = tmp_path / ".venv" / "saltseg"
    (package / "models" / ".ipynb_checkpoints").mkdir(parents=True)
    (package / "models" / "unet.py").write_text("a = 1")
    before = code_digest(package)
    (package / "models" / ".ipynb_checkpoints" / "unet-checkpoint.py").write_text("a = 0")
    (package / "._unet.py").write_bytes(b"\0\xff")
    (package / ".#unet.py").symlink_to("someone@somewhere.1")
    assert modules(package) == [package / "models" / "unet.py"]
    assert code_digest(package) == before
    (package / "models" / "unet.py").write_text("a = 2")
    assert code_digest(package) != before


def test_hashes_are_dvcs_own(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "raw"
    (raw / "train").mkdir(parents=True)
    (raw / "train.csv").write_text("id")
    (raw / "train" / "é 1.png").write_text("x")
    for command in (["init", "-q", "--no-scm"], ["add", "-q", "data/raw"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, check=True)
    assert locked_outputs(tmp_path) == {"data/raw": folder_hash(raw)}


def test_what_lies_elsewhere_is_named_by_the_lock(layout: Layout) -> None:
    hashes = {"class_unet/1": "0b.dir"}
    outs = [{"path": f"models/{name}", "hash": "md5", "md5": md5} for name, md5 in hashes.items()]
    deps = [{"path": "data/raw", "hash": "md5", "md5": "0a.dir"}]
    lock = {"schema": "2.0", "stages": {"a": {"outs": outs}, "ingest": {"deps": deps}}}
    shutil.rmtree(layout.model("class_unet", 1))
    with pytest.raises(InputError, match=r"class_unet/1: is missing, and dvc\.lock has no hash"):
        made(layout)
    (layout.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    found = made(layout, ingest={"source": "tgs"})
    assert found["models"]["class_unet/1"] == "md5:0b.dir"
    assert found["raw"] == {"source": "tgs", "files": "md5:0a.dir"}
