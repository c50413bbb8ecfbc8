"""The environment of the packages that saltseg is compared with: benchmarks/peers.txt."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path("tmp/peers")
WANTED = Path(__file__).with_name("peers.txt")
ALONE = "monai==1.6.1"
"""Imported into our process, which has all that it depends on."""


def peer_python() -> Path:
    """Return the environment's Python; the first call creates it, from PyPI."""
    python, made = (FOLDER / "bin" / "python").absolute(), FOLDER / WANTED.name
    wanted = f"{WANTED.read_text()}{ALONE}\n"
    if not made.exists() or made.read_text() != wanted:
        uv = str(Path(sys.executable).with_name("uv"))
        venv = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)]
        subprocess.run(venv, check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*install, "-r", str(WANTED)], check=True)
        subprocess.run([*install, "--no-deps", ALONE], check=True)
        made.write_text(wanted)
    return python


def peer_packages() -> Path:
    """Return the folder of the environment's packages."""
    return next((peer_python().parents[1] / "lib").glob("python*/site-packages"))
