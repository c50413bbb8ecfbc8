"""States of interrupted trainings, under a name that holds all that determines the result."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from saltseg.files import whole_file


def state_key(texts: Iterable[str], arrays: Iterable[npt.NDArray[Any]]) -> str:
    """Return a hash of texts (parameters, seeds, versions) and arrays (crops), and of the code."""
    digest = hashlib.sha256()
    for text in (*texts, torch.__version__, *_code()):
        digest.update(text.encode() + b"\0")
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


def _code() -> list[str]:
    folder = Path(__file__).parent
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))]


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state whole, in place of the one before it."""
    with whole_file(path) as temporary:
        torch.save(state, temporary)


def load_state(path: Path) -> dict[str, Any] | None:
    """Read a state; None where there is none. A damaged one is set aside with a warning."""
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        aside = path.replace(path.with_suffix(".damaged"))
        print(f"saltseg: {aside}: a damaged state is set aside ({error})", file=sys.stderr)
        return None
    print(f"saltseg: going on after epoch {len(state['history']) - 1}", file=sys.stderr)
    return state


def drop_state(path: Path) -> None:
    """Remove the state of a training that is done."""
    path.unlink(missing_ok=True)
