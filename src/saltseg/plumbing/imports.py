"""Which modules of this package a script imports, read from the sources without running them."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent

PLUMBING = frozenset({"errors", "imports", "layout", "memory", "progress", "tracking"})
"""Modules and packages whose changes change no result; the head of dvc.yaml names them."""


def determining_modules(script: Path) -> list[Path]:
    """Return the files that decide what `script` computes: all that it imports but the plumbing.

    Imports within functions count as well, and `script` itself where it lies in the package.
    """
    closure = imported_modules(script) | ({script} if script.is_relative_to(PACKAGE) else set())
    return sorted(path for path in closure if not _is_plumbing(path))


def imported_modules(script: Path) -> set[Path]:
    """Return the files of the package that `script` imports, directly or not."""
    seen: set[Path] = set()
    to_read = [script]
    while to_read:
        found = {path for name in imported_names(to_read.pop()) for path in _files(name)} - seen
        to_read += found
        seen |= found
    return seen


def _is_plumbing(path: Path) -> bool:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return first in PLUMBING or path == PACKAGE / "__init__.py"


def imported_names(script: Path) -> Iterator[str]:
    """Yield what `script` itself imports by its dotted name, of other packages too."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str) -> Iterator[Path]:
    """Yield the files that an import of `name` runs: its packages' and its own, if it has one."""
    first, *rest = name.split(".")
    if first != PACKAGE.name:
        return
    path = PACKAGE
    yield path / "__init__.py"
    for part in rest:
        path = path / part
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                yield file
