"""The code's state, which the configuration of the user's git must not change."""

from pathlib import Path

import pytest

from saltseg.ablation.plan import hash_code
from saltseg.project.code_state import code_patch, commit_patch
from tests.reproduction.test_records import git

CONFIGURATION = {
    "color.ui": "always",
    "diff.context": "0",
    "diff.external": "false",
    "diff.noprefix": "true",
    "diff.upper.textconv": "tr a-z A-Z <",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of a file, and a change since."""
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    git(tmp_path, "init", "--quiet", str(root))
    (root / ".gitattributes").write_text("*.py diff=upper\n")
    for end in ("first", "second"):
        (root / "src/code.py").write_text(f"one\ntwo\nthree\nfour\n{end}\n")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", end)
    (root / "src/code.py").write_text("one\ntwo\nthree\nfour\nthird\n")
    return root


def test_a_patch_is_the_same_whatever_git_is_configured_to(repository: Path) -> None:
    commits = git(repository, "rev-parse", "HEAD~1"), git(repository, "rev-parse", "HEAD")
    before = code_patch(repository), commit_patch(repository, *commits), hash_code(repository)
    assert all(b"\n--- a/src/code.py\n+++ b/src/code.py\n" in each.text for each in before[:2])
    for key, value in CONFIGURATION.items():
        git(repository, "config", key, value)
    after = code_patch(repository), commit_patch(repository, *commits), hash_code(repository)
    assert after == before
