"""Which modules decide a result is read from the sources, as importing them would show."""

import subprocess
import sys
from pathlib import Path

import pytest

from saltseg.plumbing.imports import PACKAGE, PLUMBING, determining_modules, imported_modules

TRAINING = PACKAGE / "training.py"


def test_what_is_read_is_what_python_loads() -> None:
    """The history imports nothing within functions, so that both ways must agree."""
    code = (
        "import sys, saltseg.learning.history;"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'saltseg'))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    expected = {Path(file) for file in loaded.stdout.decode().split()}
    assert imported_modules(PACKAGE / "history.py") | {PACKAGE / "history.py"} == expected


def test_imports_within_functions_count(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("def work():\n    from saltseg.models.unet import Unet\n")
    found = determining_modules(script)
    assert {PACKAGE / "models/__init__.py", PACKAGE / "models/unet.py"} <= {*found}
    assert script not in found and found == sorted(found)


@pytest.mark.parametrize("name", sorted(PLUMBING))
def test_plumbing_decides_nothing(name: str) -> None:
    found = determining_modules(TRAINING)
    assert TRAINING in found and PACKAGE / "batches.py" in found
    assert not [path for path in found if path.relative_to(PACKAGE).parts[0].startswith(name)]


def test_a_training_does_not_depend_on_what_it_does_not_import() -> None:
    found = {path.relative_to(PACKAGE).parts[0] for path in determining_modules(TRAINING)}
    assert not {"cli", "reproduction", "figures.py", "submission.py", "teacher.py"} & found
