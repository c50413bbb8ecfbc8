"""The labels of a survey's sections, from any kind of file, and masks as pixels."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.own.section import Label, Mask
from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.no_data import LEAST_HUGE, NULL
from saltseg.seismic.sampling import Sampling


class Labels(ABC):
    """The labels of a survey, by line. path: their file."""

    def __init__(self, path: Path) -> None:
        """Take the file's path, for errors."""
        self.path = path

    @abstractmethod
    def lines(self) -> list[int]:
        """Return the numbers of the lines that have labels, rising."""

    @abstractmethod
    def label(self, line: int, traces: Integers, sampling: Sampling) -> Label:
        """Return what is said of a line.

        traces: int64, numbers of its traces across the line's axis. Raises InputError.
        """


def label_of(marks: npt.NDArray[np.generic], salt_value: list[float], named: str) -> Label:
    """Return what a mask says, real numbers (rows, columns): 0 no salt, one other value salt.

    NaN and the null values of no_data are not interpreted. salt_value: holds what stood for salt in
    the file's other parts, or nothing yet. Raises InputError, naming `named`, for a third value.
    """
    values = marks.astype(np.float64)
    unknown = ~np.isfinite(values) | np.isclose(values, NULL) | (np.abs(values) >= LEAST_HUGE)
    salt: Mask = ~unknown & (values != 0)
    found = np.unique(values[salt]).tolist()
    if found and not salt_value:
        salt_value.append(found[0])
    if any(value != salt_value[0] for value in found):
        shown = ", ".join(f"{value:g}" for value in sorted({0.0, salt_value[0], *found})[:4])
        raise InputError(
            f"{named}: has more than two values ({shown}); a mask has 0 for no salt and one other"
            " value for salt"
        )
    return Label(salt, ~unknown)


def sample_numbers(depths: npt.NDArray[np.float64], sampling: Sampling) -> npt.NDArray[np.float64]:
    """Return where times or depths lie, counted in samples from the first."""
    return (depths - sampling.first) / sampling.interval
