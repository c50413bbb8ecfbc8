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
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.progress import progress
from saltseg.seismic.section_files import SectionFiles, blocks
from saltseg.seismic.store import PREDICTED, PREDICTION, complete, create_store
from saltseg.seismic.survey import Survey

if TYPE_CHECKING:
    import zarr

Calibrate = Callable[[npt.NDArray[np.floating]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Reading:
    """How mean probabilities are read: the threshold of the mask, and their calibration."""

    threshold: float
    calibrate: Calibrate


def write_predictions(
    folder: Path, survey: Survey, files: SectionFiles, reading: Reading, facts: Mapping[str, object]
) -> Path:
    """Make `folder`/PREDICTION of all section files, and return it; shards that are whole stay.

    facts: JSON values that its attribute says besides. Raises InputError where a section's file is
    missing or damaged, or the store cannot be written.
    """
    group = _begun(folder, survey, facts)
    done = folder / "shards"
    done.mkdir(exist_ok=True)
    array: Any = group["probability"]
    places = list(blocks(array.shape, array.shards))
    missing = [at for at in range(len(places)) if not (done / str(at)).exists()]
    for at in progress(missing, "shards of the prediction", len(missing)):
        for name, values in read_block(files, places[at], reading).items():
            target: Any = group[name]
            target[places[at]] = values
        (done / str(at)).touch()
    complete(group)
    return folder / PREDICTION


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


def _begun(folder: Path, survey: Survey, facts: Mapping[str, object]) -> "zarr.Group":
    """Return the store to go on with; what a killed process left half made is made again."""
    import zarr

    path, making = folder / PREDICTION, folder / f"new-{PREDICTION}"
    if not path.exists():
        shutil.rmtree(making, ignore_errors=True)
        create_store(making, survey, PREDICTED, facts)
        making.rename(path)
    return zarr.open_group(path, mode="r+")
