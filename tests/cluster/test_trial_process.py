"""The experiment that a trial on a cluster leaves, with real git and dvc, but without Ray."""

import shutil
from pathlib import Path

import pytest

from saltseg.cluster.trial_process import commit_experiment
from tests.helpers.checkout import Checkout

pytestmark = pytest.mark.long

PIPELINE = """
stages:
  train:
    cmd: mkdir -p results && cp params.yaml made && cp made results/plot.json && cp made score.json
    params: [seed]
    outs:
      - made
      - results/plot.json
    metrics:
      - score.json: {cache: false}
plots:
  - results/plot.json
"""


def test_it_has_what_dvc_exp_run_commits(tmp_path: Path) -> None:
    alone = Checkout(tmp_path / "alone")
    alone.root.mkdir()
    (alone.root / "dvc.yaml").write_text(PIPELINE)
    (alone.root / "params.yaml").write_text("seed: 1\n")
    alone.succeed("git", "init", "--quiet")
    alone.succeed("dvc", "init", "--quiet")
    alone.commit("A pipeline")
    trial = Checkout(shutil.copytree(alone.root, tmp_path / "trial", symlinks=True))
    alone.succeed("dvc", "exp", "run", "--temp", "--name", "one", "--set-param", "seed=2")
    reference = alone.succeed("git", "for-each-ref", "--format=%(refname)", "refs/exps/*/*/one")
    (trial.root / "params.yaml").write_text("seed: 2\n")
    trial.succeed("dvc", "repro", "--quiet")
    commit_experiment(trial.root, "two")
    trial.succeed("git", "fetch", "--quiet", str(alone.root), f"{reference.strip()}:refs/one")
    assert trial.succeed("git", "ls-tree", "-r", "HEAD") == trial.succeed(
        "git", "ls-tree", "-r", "refs/one"
    )
    assert trial.succeed("git", "rev-parse", "HEAD^") == trial.succeed(
        "git", "rev-parse", "refs/one^"
    )
