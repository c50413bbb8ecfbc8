"""The process in which a model that other code trained predicts with that code."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def own_command(images: Sequence[Path], model: Path, out: Path, depth: float | None) -> list[str]:
    """Return the command that predicts images with a model into the folder `out`."""
    start = "from saltseg.cli import app; app()"
    options = ["--model", str(model), "--out", str(out)]
    options += [] if depth is None else ["--depth", str(depth)]
    return [sys.executable, "-c", start, "predict", *options, "--", *map(str, images)]


def own_environment(code: Path) -> dict[str, str]:
    """Return the environment in which that command imports the package in the folder `code`."""
    own = {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return os.environ | own
