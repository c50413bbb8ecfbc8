"""The recipes that a project has: files of conf/recipe, listed without importing Hydra."""

from pathlib import Path

from saltseg.plumbing.layout import Layout


def list_recipes(layout: Layout) -> dict[str, str]:
    """Return what each recipe is for, by name in alphabetical order."""
    return {path.stem: _purpose(path) for path in sorted(layout.recipes.glob("*.yaml"))}


def _purpose(path: Path) -> str:
    """Return the second line, the first that is not for Hydra, without its comment mark."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[1].removeprefix("# ") if len(lines) > 1 else ""
