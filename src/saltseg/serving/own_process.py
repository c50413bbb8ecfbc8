"""The process in which a model that other code trained predicts with that code."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def own_command(files: Sequence[Path], model: Path, out: Path, options: Sequence[str]) -> list[str]:
    """Return the command that predicts files with a model into the folder `out`."""
    start = "from saltseg.cli import app; app()"
    options = ["--model", str(model), "--out", str(out), *options]
    return [sys.executable, "-c", start, "predict", *options, "--", *map(str, files)]


def depth_options(depth: float | None) -> list[str]:
    """Return the options of that command that give the depth of images, in feet."""
    return [] if depth is None else ["--depth", str(depth)]


def own_environment(code: Path) -> dict[str, str]:
    """Return the environment in which that command imports the package in the folder `code`."""
    own = {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return os.environ | own
