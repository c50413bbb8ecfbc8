"""A checkout of the project in a folder of its own: a real git and DVC repository."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from saltseg.config.recipes import write_recipe
from saltseg.plumbing.layout import Layout
from tests.conftest import PROJECT


@dataclass(frozen=True)
class Checkout:
    """One clone, and how commands are run in it."""

    root: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment (dvc, python, git) and keep what it prints."""
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment() | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables of a shell that has the environment's commands."""
        scripts = Path(sys.executable).parent
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DVC", "MLFLOW"))}
        path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
        return inherited | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def succeed(self, *command: str, **environment: str) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self.run(*command, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def outputs(self) -> dict[str, str]:
        """Return the hash of every output in dvc.lock."""
        lock = yaml.safe_load((self.root / "dvc.lock").read_text())
        return {
            out["path"]: out["md5"]
            for stage in lock["stages"].values()
            for out in stage.get("outs", [])
        }

    def commit(self, message: str) -> None:
        """Commit everything that git does not ignore."""
        self.succeed("git", "add", "--all")
        identity = ("-c", "user.name=saltseg", "-c", "user.email=saltseg@example.org")
        self.succeed("git", *identity, "commit", "--quiet", "--message", message)


def make_checkout(root: Path, params: dict[str, Any]) -> Checkout:
    """Copy the project's files, as git sees them, and commit them with other parameters.

    The parameters are those of the default recipe, `shrunk`; a recipe of the project changes them
    as it would change the demo's.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (PROJECT / name).is_file() and name != "dvc.lock" and not name.startswith("results/"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, root / name)
    write_default_recipe(root, params)
    checkout = Checkout(root)
    checkout.succeed("git", "init", "--quiet", "--initial-branch", "main")
    checkout.commit("The project with shrunk parameters")
    return checkout


def write_default_recipe(root: Path, params: dict[str, Any]) -> None:
    """Make `params` what conf/ composes where no recipe is named, and params.yaml its outcome."""
    defaults = ["_self_", {"recipe": "shrunk"}]
    config = yaml.safe_dump({"defaults": defaults, **params}, sort_keys=False)
    (root / "conf/config.yaml").write_text(config)
    (root / "conf/recipe/shrunk.yaml").write_text("# @package _global_\n# The shrunk demo.\n")
    write_recipe(Layout(root), "shrunk")
