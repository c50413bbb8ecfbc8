"""Kaggle's official client, a program that may be installed beside this Python or elsewhere."""

import shutil
import sys
from pathlib import Path


def kaggle_client() -> str | None:
    """Return the client's path, preferably of the one beside this Python; None without one."""
    beside = Path(sys.executable).parent
    return shutil.which("kaggle", path=str(beside)) or shutil.which("kaggle")
