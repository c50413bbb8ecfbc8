"""Records asked for where a repository is not a plain clone, or where git itself is the caller."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.project.code_state import code_state
from saltseg.tracking.experiments import sync_experiments
from saltseg.tracking.registry import register
from saltseg.tracking.store import open_store
from tests.helpers.checkout import Checkout
from tests.helpers.records import EMPTY_HANDED, git, record_run, table_of

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _own_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A project whose one stage has run, two commits of it, and an empty store of MLflow."""
    project = Checkout(tmp_path_factory.mktemp("ran") / "project")
    (project.root / "data/raw").mkdir(parents=True)
    for name, content in EMPTY_HANDED.items():
        (project.root / name).write_text(content)
    project.succeed("git", "init", "--quiet", "--initial-branch", "main")
    project.succeed("dvc", "init", "--quiet")
    (project.root / ".dvcignore").write_text(".gitignore\n")
    (project.root / ".gitignore").write_text("/listed\n/mlruns\n")
    project.commit("A project")
    project.succeed("dvc", "repro")
    project.commit("A run")
    (project.root / "mlruns").mkdir()
    shutil.copy(migrated, project.root / "mlruns/mlflow.db")
    return project.root


def bring(ran: Path, root: Path) -> Path:
    """Give a checkout the cache and the store of the first one, which git does not carry."""
    shutil.copytree(ran / ".dvc/cache", root / ".dvc/cache")
    shutil.copytree(ran / "mlruns", root / "mlruns")
    return root


def in_subfolder(ran: Path, folder: Path) -> Path:
    root = folder / "all/of it/project"
    shutil.copytree(ran, root, ignore=shutil.ignore_patterns(".git"))
    git(folder, "init", "--quiet", "--initial-branch", "main", str(folder / "all"))
    (folder / "all/stages").write_text("The folder above has one by this name.\n")
    git(folder / "all", "add", "--all")
    git(folder / "all", "commit", "--quiet", "--message", "All")
    return root


def shallow(ran: Path, folder: Path) -> Path:
    git(folder, "clone", "--quiet", "--depth", "1", ran.as_uri(), str(folder / "shallow"))
    return bring(ran, folder / "shallow")


def submodule(ran: Path, folder: Path) -> Path:
    git(folder, "init", "--quiet", str(folder / "above"))
    allowed = ("-c", "protocol.file.allow=always")
    git(folder / "above", *allowed, "submodule", "--quiet", "add", str(ran), "below")
    return bring(ran, folder / "above/below")


def worktree(ran: Path, folder: Path) -> Path:
    git(folder, "clone", "--quiet", str(ran), str(folder / "main"))
    git(folder / "main", "worktree", "add", "--quiet", "-b", "side", str(folder / "linked: one"))
    return bring(ran, folder / "linked: one")


PLACES = [in_subfolder, shallow, submodule, worktree]


def said(root: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.chdir(root)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("place", PLACES)
def test_records_hold_wherever_the_repository_lies(
    ran: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Callable[[Path, Path], Path],
) -> None:
    root = place(ran, tmp_path)
    assert "everything it recorded is there" in said(root, monkeypatch, "verify", "HEAD")
    assert set(table_of(said(root, monkeypatch, "reproduce", "HEAD"))) == {
        "listed",
        "results/ingest.json",
    }
    (root / "params.yaml").write_text("base: {seed: 2}\n")
    assert code_state(root)[1]
    git(root, "checkout", "--", ".")

    run = record_run(root, **{"git.dirty": "false"})
    client = open_store(root / "mlruns")
    client.set_terminated(run)
    register(client, run, *logged_model(client, run))
    assert "version 1 of run" in said(root, monkeypatch, "promote", run)

    commit = git(root, "rev-parse", "HEAD")
    tree = git(root, "rev-parse", "HEAD^{tree}")
    made = git(root, "commit-tree", "-p", commit, "-m", "An experiment", tree)
    git(root, "update-ref", f"refs/exps/{commit[:2]}/{commit[2:]}/fox", made)
    assert sync_experiments(root) == (["fox"], ["fox"])
    assert "everything it recorded is there" in said(root, monkeypatch, "verify", "fox")
    assert "code: the same" in said(root, monkeypatch, "diff", "fox", "HEAD")


def logged_model(client: MlflowClient, run: str) -> tuple[str, dict[str, str]]:
    experiment = client.get_run(run).info.experiment_id
    return client.create_logged_model(experiment, "saltseg", run).model_id, {}


def test_a_hook_in_a_linked_worktree_leaves_the_repository_as_it_is(
    ran: Path, tmp_path: Path
) -> None:
    linked, main = worktree(ran, tmp_path), tmp_path / "main"
    hook = main / ".git/hooks/post-commit"
    command = Path(sys.executable).with_name("saltseg")
    hook.write_text(f'#!/bin/sh\nexport GIT_DIR GIT_INDEX_FILE\n"{command}" verify HEAD~1 > said\n')
    hook.chmod(0o755)
    before = {name: git(main, "rev-parse", name) for name in ("HEAD", "main", "side")}
    (linked / "new.txt").write_text("new\n")
    git(linked, "add", "new.txt")
    git(linked, "commit", "--quiet", "--message", "A commit whose hook verifies the one before")
    assert "everything it recorded is there" in (linked / "said").read_text()
    (linked / "said").unlink()
    assert git(linked, "symbolic-ref", "HEAD") == "refs/heads/side"
    assert git(linked, "rev-parse", "HEAD~1") == before["side"]
    assert git(linked, "status", "--porcelain") == ""
    assert {name: git(main, "rev-parse", name) for name in ("HEAD", "main")} == {
        name: before[name] for name in ("HEAD", "main")
    }
    assert git(main, "status", "--porcelain") == ""
