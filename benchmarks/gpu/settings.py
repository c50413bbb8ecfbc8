"""What every part of the GPU measurement is told, and how it writes down what it finds."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """The options of the measurement, as a part's process gets them."""

    folder: str
    """Where results go."""
    device: str
    """cuda or cpu."""
    small: bool
    """Tiny networks and numbers, to try the measurement out."""
    until: float
    """Time of the system's clock after which nothing new begins."""
    raw: str | None = None
    """Folder of Kaggle's files; None takes the synthetic survey."""

    def left(self) -> float:
        """Return the seconds left."""
        return self.until - time.time()

    def write(self) -> str:
        """Return the settings as a word for a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "Settings":
        """Return the settings that `write` wrote."""
        return cls(**json.loads(text))

    def path(self, part: str) -> Path:
        """Return the file of a part's rows."""
        return Path(self.folder) / f"{part}.jsonl"

    def record(self, part: str, row: Row) -> None:
        """Append a row, at once: what is written survives the end of the process."""
        with self.path(part).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{part}: {row}", flush=True)


def read_rows(path: Path) -> list[Row]:
    """Return the whole rows of a file; a last one cut short is left out."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def failure(error: BaseException) -> str:
    """Say in one line what went wrong."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
