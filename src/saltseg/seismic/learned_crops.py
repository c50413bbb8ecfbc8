"""What the crops are like that a model learned from, to compare surveys with."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_json
from saltseg.seismic.spacing import evenly
from saltseg.seismic.windows import WindowStatistics, describe_windows

SURVEY_CROPS = Path(__file__).with_name("survey_crops.json")
"""The statistics of the embedded survey's crops; `benchmarks/crop_statistics.py` writes them."""
_MOST = 1000


@dataclass(frozen=True)
class LearnedCrops:
    """Statistics of crops, and whose they are."""

    source: str
    statistics: WindowStatistics


def describe_crops(path: Path) -> LearnedCrops:
    """Describe the crops in an .npy, shape (n, samples, traces), by at most 1,000 of them.

    Raises InputError where it cannot be read or holds no such crops.
    """
    try:
        crops = np.load(path, mmap_mode="r")
    except (OSError, EOFError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as .npy ({error}); name an array of crops"
        ) from error
    if crops.ndim != 3 or 0 in crops.shape or crops.dtype.kind not in "uif":
        raise InputError(
            f"{path}: is {crops.dtype} of shape {crops.shape}; name an array of crops, one row each"
        )
    statistics = describe_windows(crops[evenly(len(crops), _MOST)])
    if statistics is None:
        raise InputError(f"{path}: all crops are flat; name an array of others")
    return LearnedCrops(str(path), statistics)


def survey_crops() -> LearnedCrops:
    """Return the statistics of the embedded survey's crops, which come with the package."""
    return LearnedCrops("the embedded survey's crops", statistics_of(read_json(SURVEY_CROPS)))


def statistics_of(content: dict[str, Any]) -> WindowStatistics:
    """Return statistics as `asdict` has made them JSON."""
    values: dict[str, Any] = {
        name: tuple(map(_number, value)) if isinstance(value, list) else value
        for name, value in content.items()
    }
    return WindowStatistics(**values)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def as_json(statistics: WindowStatistics) -> dict[str, Any]:
    """Return statistics as JSON holds them, to six digits; what could not be measured is None."""
    return {
        name: _short(value) if not isinstance(value, int) else value
        for name, value in asdict(statistics).items()
    }


def _short(value: float | tuple[float, ...]) -> Any:  # noqa: ANN401
    if isinstance(value, tuple):
        return [_short(item) for item in value]
    return float(f"{value:.6g}") if math.isfinite(value) else None
