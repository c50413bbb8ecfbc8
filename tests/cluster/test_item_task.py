"""An item on a node, with real git and dvc, but without Ray."""

from pathlib import Path

import pytest

from saltseg.cluster.code_shipment import pack_code
from saltseg.cluster.item_outputs import restore_outputs
from saltseg.cluster.item_task import ItemJob, run_item
from saltseg.cluster.node import Versions, unpacked
from tests.helpers.checkout import Checkout

pytestmark = pytest.mark.long

PIPELINE = """
stages:
  train:
    matrix: {fold: [0]}
    cmd: cp source made${item.fold}
    deps: [source]
    outs: ["made${item.fold}"]
"""


def test_a_remote_that_is_gone_for_a_while_costs_a_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    checkout, remote = Checkout(tmp_path / "project"), tmp_path / "remote"
    checkout.root.mkdir()
    (checkout.root / "dvc.yaml").write_text(PIPELINE)
    (checkout.root / "source").write_text("1\n")
    checkout.succeed("git", "init", "--quiet")
    checkout.succeed("dvc", "init", "--quiet")
    checkout.succeed("dvc", "remote", "add", "--quiet", "--default", "here", str(remote))
    checkout.commit("A pipeline")
    remote.write_text("A file, so that no folder can be made.\n")
    job = ItemJob("train@0", None, {}, Versions.here(), None)
    messages = []
    for answer in run_item(pack_code(checkout.root), job):
        messages.append(unpacked(answer))
        if "ERROR" in messages[-1].get("text", ""):
            remote.unlink()  # it is back
    assert [each["kind"] for each in (messages[0], messages[-1])] == ["began", "done"], messages
    assert sum("ERROR" in each.get("text", "") for each in messages) == 1
    restore_outputs(checkout.root, "train@0", messages[-1]["made"])
    assert (checkout.root / "made0").read_text() == "1\n"
    assert checkout.succeed("dvc", "status").strip().endswith("up to date.")
