"""What is chosen is read as it was written."""

from pathlib import Path

import numpy as np

from saltseg.selection.calibration import Calibration
from saltseg.selection.sizes import ChosenSizes
from saltseg.selection.thresholds import Thresholds


def test_thresholds_are_read_as_they_were_written(tmp_path: Path) -> None:
    chosen = Thresholds(0.45, {0: 0.4, 3: 0.5}, Calibration(1.25, -0.5))
    chosen.save(tmp_path)
    assert Thresholds.load(tmp_path) == Thresholds.load(tmp_path) == chosen
    assert chosen.of(np.array([3, 0, 3])).tolist() == [0.5, 0.4, 0.5]


def test_sizes_are_read_as_they_were_written(tmp_path: Path) -> None:
    chosen = ChosenSizes(True, (10, 0), {0: (10, 0), 3: (0, 5)})
    chosen.save(tmp_path)
    assert ChosenSizes.load(tmp_path) == ChosenSizes.load(tmp_path) == chosen
