"""The store of what was predicted on a survey, made of its sections shard by shard.

probability: the mean over axes and networks, calibrated; 0 where there is no data. mask: where the
mean exceeds the model's threshold. disagreement: the standard deviation over all networks and both
axes, before calibration: the root of the mean variance within an axis and the variance between
axes. live: where there is data.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.seismic.bricks import blocks
from saltseg.seismic.section_files import SectionFiles
from saltseg.seismic.store import PREDICTED, PREDICTION, complete, create_store
from saltseg.seismic.survey import Survey

Calibrate = Callable[[npt.NDArray[np.floating]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Reading:
    """How mean probabilities are read: the threshold of the mask, and their calibration."""

    threshold: float
    calibrate: Calibrate


class PredictionStore:
    """`folder`/PREDICTION while it is made, shard by shard; several processes may write at once."""

    def __init__(self, folder: Path, files: SectionFiles, reading: Reading) -> None:
        """Take the store that `begin_store` began in `folder`, and what it is made of."""
        import zarr

        self._files, self._reading = files, reading
        self._done = folder / "shards"
        self._group = zarr.open_group(folder / PREDICTION, mode="r+")
        array: Any = self._group["probability"]
        self._places = list(blocks(array.shape, array.shards))

    def missing(self) -> list[int]:
        """Return the numbers of the shards that are not whole."""
        return [at for at in range(len(self._places)) if not (self._done / str(at)).exists()]

    def write(self, at: int) -> None:
        """Write a shard from the section files.

        Raises InputError where a section's file is missing or damaged.
        """
        for name, values in read_block(self._files, self._places[at], self._reading).items():
            target: Any = self._group[name]
            target[self._places[at]] = values
        (self._done / str(at)).touch()

    def complete(self) -> None:
        """Say in the store that all of it is written."""
        complete(self._group)


def begin_store(folder: Path, survey: Survey, facts: Mapping[str, object]) -> None:
    """Begin the store in `folder`, or keep what is there of it.

    facts: further JSON values for its attribute. What a killed process left half made is made
    again. Raises InputError where the store cannot be written.
    """
    path, making = folder / PREDICTION, folder / f"new-{PREDICTION}"
    (folder / "shards").mkdir(exist_ok=True)
    if not path.exists():
        shutil.rmtree(making, ignore_errors=True)
        create_store(making, survey, PREDICTED, facts)
        making.rename(path)


def read_block(
    files: SectionFiles, places: tuple[slice, ...], reading: Reading
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of PREDICTED in one block."""
    first, *others = (files.block(axis, places) for axis in files.axes)
    live = np.isfinite(first[0])
    means, variances = [first[0]], [first[1] ** 2]
    for other in others:
        means.append(other[0])
        variances.append(other[1] ** 2)
    mean = np.where(live, np.mean(means, axis=0), 0).astype(np.float16)
    spread = np.sqrt(np.mean(variances, axis=0) + np.var(means, axis=0))
    probability = np.where(live, reading.calibrate(mean.astype(np.float32)), 0)
    return {
        "probability": probability.astype(np.float16),
        "mask": live & (mean.astype(np.float64) > reading.threshold),
        "disagreement": np.where(live, spread, 0).astype(np.float16),
        "live": live,
    }
