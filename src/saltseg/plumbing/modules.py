"""The package's own modules: which files are code, and what a script imports of them."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The folder of the package that this code belongs to."""

CHANGES_NO_RESULT = (
    "__init__.py",
    "plumbing/errors.py",
    "plumbing/layout.py",
    "plumbing/memory.py",
    "plumbing/modules.py",
    "plumbing/progress.py",
    "tracking/",
)
"""Modules of the package that no result depends on; the head of dvc.yaml names them."""


def modules(folder: Path) -> list[Path]:
    """Return the Python files below `folder`, in order.

    Hidden files do not count: notebooks, editors and macOS leave them beside the real ones, and
    they may be binary or links to nothing.
    """
    hidden = (".", "__pycache__")
    return sorted(
        path
        for path in folder.rglob("*.py")
        if not any(part.startswith(hidden) for part in path.relative_to(folder).parts)
    )


def imported_modules(
    scripts: Iterable[Path], package: Path = PACKAGE, without: Iterable[str] = ()
) -> list[Path]:
    """Return the modules of `package` that `scripts` import, directly or not, in order.

    Imports inside functions count. A package's `__init__` counts where it holds code, for importing
    one of its modules runs it. without: modules and folders, relative to `package`, that are left
    out together with what only they import.
    """
    left_out = tuple(without)
    seen: set[Path] = set()
    to_read = list(scripts)
    while to_read:
        for name in imported_names(to_read.pop()):
            for path in _sources(name, package):
                kept = not path.relative_to(package).as_posix().startswith(left_out)
                if kept and path not in seen:
                    seen.add(path)
                    to_read.append(path)
    return sorted(seen)


def determining_modules(script: Path, package: Path = PACKAGE) -> list[Path]:
    """Return the files that decide what `script` computes, itself among them, in order."""
    return sorted({script, *imported_modules([script], package, CHANGES_NO_RESULT)})


def imported_names(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _sources(name: str, package: Path) -> Iterator[Path]:
    """Yield the files that an import runs: the module's own, and the packages' above it."""
    top, *parts = name.split(".")
    if top != package.name:
        return
    for depth in range(len(parts) + 1):
        place = package.joinpath(*parts[:depth])
        if place.with_suffix(".py").is_file() and depth:
            yield place.with_suffix(".py")
        elif (place / "__init__.py").is_file() and _holds_code(place / "__init__.py"):
            yield place / "__init__.py"


def _holds_code(path: Path) -> bool:
    """Tell an `__init__` that imports or computes from one that is a docstring."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not isinstance(node, ast.Expr) for node in body)
