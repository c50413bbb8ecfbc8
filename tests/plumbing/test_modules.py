"""Which modules decide a result is read from the sources, as importing them would show."""

import subprocess
import sys
from pathlib import Path

import pytest

from saltseg.plumbing.modules import (
    CHANGES_NO_RESULT,
    PACKAGE,
    determining_modules,
    imported_modules,
    imported_names,
)

TRAINING = PACKAGE / "learning/training.py"


def test_what_is_read_is_what_python_loads() -> None:
    """The history imports nothing within functions, so both ways must agree."""
    history = PACKAGE / "learning/history.py"
    code = (
        "import sys, saltseg.learning.history;"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'saltseg'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = {Path(file) for file in done.stdout.decode().split()}
    modules = {path for path in loaded if path.name != "__init__.py"}
    found = {*imported_modules([history]), history}
    assert {path for path in found if path.name != "__init__.py"} == modules
    assert found <= loaded


def test_imports_within_functions_count(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("def work():\n    from saltseg.models.unet import Unet\n")
    found = determining_modules(script)
    assert {PACKAGE / "models/__init__.py", PACKAGE / "models/unet.py", script} <= {*found}
    assert found == sorted(found)


def test_a_package_counts_where_it_holds_code(tmp_path: Path) -> None:
    package = tmp_path / "package"
    for name, text in {"plain": '"""Words."""\n', "busy": "from package.plain import x\n"}.items():
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text(text)
        (package / name / "x.py").write_text("")
    script = tmp_path / "script.py"
    script.write_text("import package.busy.x\n")
    names = [path.relative_to(package).as_posix() for path in imported_modules([script], package)]
    assert names == ["busy/__init__.py", "busy/x.py", "plain/x.py"]


@pytest.mark.parametrize("place", CHANGES_NO_RESULT)
def test_plumbing_decides_nothing(place: str) -> None:
    found = determining_modules(TRAINING)
    assert TRAINING in found and PACKAGE / "learning/batches.py" in found
    assert not [path for path in found if path.is_relative_to(PACKAGE / place)]


def test_a_training_does_not_depend_on_what_it_does_not_import() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0] for path in determining_modules(TRAINING)}
    assert not {"cli", "reproduction", "reports", "tracking", "project"} & rooms


def test_imports_for_type_checkers_count_where_they_are_asked_for(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from saltseg.models.unet import Unet\n"
        "else:\n    from saltseg.plumbing.files import write_json\n"
    )
    assert "saltseg.models.unet.Unet" in imported_names(script)
    found = imported_modules([script])
    assert PACKAGE / "plumbing/files.py" in found and PACKAGE / "models/unet.py" not in found
