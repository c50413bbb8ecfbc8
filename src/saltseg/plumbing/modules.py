"""The package's modules: which files are code, and which of them a script imports."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The folder of this package."""

CHANGES_NO_RESULT = (
    "__init__.py",
    "plumbing/errors.py",
    "plumbing/layout.py",
    "plumbing/memory.py",
    "plumbing/modules.py",
    "plumbing/progress.py",
    "tracking/",
)
"""Modules that no result depends on; the head of dvc.yaml lists them."""


def modules(folder: Path) -> list[Path]:
    """Return the Python files below `folder`, sorted.

    Hidden files are skipped: notebooks, editors and macOS leave them behind, and they may be
    binary files or broken links.
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
    """Return the modules of `package` that `scripts` import, directly or indirectly, sorted.

    Imports inside functions count, imports for type checkers alone do not. A package's `__init__`
    counts if it contains code, since importing any of its modules runs it. without: modules and
    folders, relative to `package`, to leave out together with what only they import.
    """
    left_out = tuple(without)
    seen: set[Path] = set()
    to_read = list(scripts)
    while to_read:
        for name in imported_names(to_read.pop(), typing=False):
            for path in _sources(name, package):
                kept = not path.relative_to(package).as_posix().startswith(left_out)
                if kept and path not in seen:
                    seen.add(path)
                    to_read.append(path)
    return sorted(seen)


def determining_modules(script: Path, package: Path = PACKAGE) -> list[Path]:
    """Return the files that determine what `script` computes, including itself, sorted."""
    return sorted({script, *imported_modules([script], package, CHANGES_NO_RESULT)})


def imported_names(path: Path, typing: bool = True) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports, including inside functions.

    typing: also what it imports for type checkers alone, below `if TYPE_CHECKING`.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree if typing else _Executed().visit(tree)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


class _Executed(ast.NodeTransformer):
    """Leaves out what runs for type checkers alone."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Replace `if TYPE_CHECKING: ... else: ...` by what is below else."""
        visited = self.generic_visit(node)
        typing = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if typing else visited


def _sources(name: str, package: Path) -> Iterator[Path]:
    """Yield the files that an import runs: the module's own, and its parent packages'."""
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
    """Return whether an `__init__` contains more than a docstring."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not isinstance(node, ast.Expr) for node in body)
