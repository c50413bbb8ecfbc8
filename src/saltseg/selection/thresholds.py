"""The thresholds that threshold-search chose, and the file that keeps them."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.files import read_json, write_json
from saltseg.scoring.metric import Scores
from saltseg.selection.calibration import Calibration

_FILE = "thresholds.json"


@dataclass(frozen=True)
class Thresholds:
    """The threshold for all crops, that of each part, chosen on the others, and the calibration."""

    overall: float
    by_part: dict[int, float]
    calibration: Calibration = field(default_factory=Calibration)

    def of(self, parts: npt.NDArray[np.int64]) -> Scores:
        """Return the threshold of each crop: float64, shape (n,)."""
        return np.array([self.by_part[int(part)] for part in parts])

    def metrics(self) -> dict[str, float | dict[str, float]]:
        """Return the thresholds by the names that results have."""
        by_part = {str(part): limit for part, limit in self.by_part.items()}
        return {"threshold": self.overall, "threshold_by_part": by_part}

    def save(self, folder: Path) -> None:
        """Write thresholds.json into `folder`, threshold-search's own."""
        write_json(folder / _FILE, {**self.metrics(), "calibration": asdict(self.calibration)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises InputError if the file is missing or no JSON."""
        content = read_json(folder / _FILE)
        by_part = {int(part): limit for part, limit in content["threshold_by_part"].items()}
        return cls(content["threshold"], by_part, Calibration(**content["calibration"]))
