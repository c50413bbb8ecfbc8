import shutil
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.helpers.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository with the project's parameters, and a little code."""
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy2(PROJECT / name, tmp_path / name)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/code.py").write_text("1\n")
    checkout = Checkout(tmp_path)
    checkout.succeed("git", "init", "--quiet", "--initial-branch", "main")
    checkout.commit("Parameters")
    return checkout
