"""The floors of the package: an import goes down, and heavy libraries stay where they belong."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from saltseg.plumbing.modules import PACKAGE, imported_names, modules

FLOORS = (
    "plumbing",
    "config",
    "scoring",
    "crops",
    "selection",
    "survey",
    "seismic",
    "models",
    "inference",
    "own",
    "learning",
    "reports",
    "project",
    "tracking",
    "reproduction",
    "ablation",
    "cluster",
    "serving",
    "cli",
)
"""The rooms, ground first; docs/architecture.md says what each knows."""

ALLOWED = {
    "torch": {"models", "inference", "learning", "serving", "cluster"},
    "mlflow": {"tracking"},
    "albumentations": {"learning"},
    "ray": {"cluster"},
    "onnxruntime": {"serving"},
    "dvc": {"config", "project", "reproduction", "ablation", "cluster"},
}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def imports_between_rooms() -> Iterator[tuple[str, str, str]]:
    """Yield importing room, imported room, and the line that a failure shows."""
    for path in (path for path in modules(PACKAGE) if path.parent != PACKAGE):
        for name in imported_names(path):
            parts = name.split(".")
            if parts[0] == "saltseg" and len(parts) > 1 and (PACKAGE / parts[1]).is_dir():
                shown = f"{path.relative_to(PACKAGE).as_posix()} imports {name}"
                yield room(path), parts[1], shown


def test_the_flat_floor_is_empty() -> None:
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "py.typed"}
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(FLOORS)


def test_imports_go_down_or_stay_on_their_floor() -> None:
    upwards = [
        shown
        for importing, imported, shown in imports_between_rooms()
        if FLOORS.index(imported) > FLOORS.index(importing)
    ]
    assert upwards == []


@pytest.mark.parametrize(("library", "rooms"), ALLOWED.items())
def test_a_library_stays_in_its_rooms(library: str, rooms: set[str]) -> None:
    elsewhere = [
        f"{path.relative_to(PACKAGE).as_posix()}"
        for path in modules(PACKAGE)
        if any(name.partition(".")[0] == library for name in imported_names(path))
        and room(path) not in rooms
    ]
    assert elsewhere == []


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {path: path.read_text().count("\n") for path in modules(PACKAGE)}
    assert {path.name: length for path, length in lengths.items() if length > 300} == {}


def test_the_command_line_starts_without_torch_and_mlflow() -> None:
    code = "import sys, saltseg.cli; print(*{'torch', 'mlflow', 'dvc', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_test_module_imports_from_another() -> None:
    """Shared helpers lie in tests/helpers and in conftest modules."""
    tests = Path(__file__).parent
    borrowed = [
        f"{path.relative_to(tests).as_posix()} imports {name}"
        for path in modules(tests)
        for name in imported_names(path)
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    ]
    assert borrowed == []
