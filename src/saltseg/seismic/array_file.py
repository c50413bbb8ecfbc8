"""A survey in an .npy file of two or three dimensions, whose axes a person names."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.grid import CROSSLINE, INLINE, Grid, line_of
from saltseg.seismic.no_data import Amplitudes
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.sampling import Sampling, unit_of
from saltseg.seismic.survey import Survey

SAMPLE, TRACE = "sample", "trace"
_AXES = {2: (TRACE, SAMPLE), 3: (INLINE, CROSSLINE, SAMPLE)}


class ArraySurvey(Survey):
    """An array, mapped: lines are numbered from 0; nothing is known of coordinates."""

    def __init__(self, path: Path, array: npt.NDArray[np.generic], options: SurveyOptions) -> None:
        """Take a mapped array, (traces, samples) or (inlines, crosslines, samples)."""
        *places, samples = array.shape
        self.array = array
        traces = np.arange(np.prod(places, dtype=np.int64))
        if len(places) == 1:
            grid = line_of(traces, traces, 0)
        else:
            inlines, crosslines = map(np.arange, places)
            grid = Grid(inlines, crosslines, traces.reshape(places))
        unit = unit_of(options.domain, options.unit, SAMPLE)
        sampling = Sampling(samples, options.interval or 1.0, 0.0, unit, options.domain)
        unsigned = array.dtype.kind == "u"
        super().__init__(path, grid, sampling, None, options, unsigned=unsigned)

    def raw(self, traces: Integers) -> Amplitudes:
        """Return the samples of traces, numbered row by row."""
        with np.errstate(over="ignore"):
            where = np.unravel_index(traces, self.array.shape[:-1])
            return self.array[where].astype(np.float32)

    def close(self) -> None:
        """Do nothing: the mapping ends with the object."""


def open_array(path: Path, options: SurveyOptions, kinds: str = "uif") -> ArraySurvey:
    """Map an .npy file. Raises InputError where its axes are not named, or it is no such file.

    kinds: numpy's letters of the types that it may hold.
    """
    try:
        array = np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; name a file that exists") from error
    except (OSError, EOFError, ValueError, SyntaxError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: cannot be read as .npy ({reason}); save it again") from error
    if array.dtype.kind not in kinds or array.ndim not in _AXES or 0 in array.shape:
        raise InputError(
            f"{path}: is {array.dtype} of shape {array.shape}; save real numbers of two or three"
            " dimensions"
        )
    return ArraySurvey(path, array.transpose(_order(path, array.shape, options.axes)), options)


def _order(path: Path, shape: tuple[int, ...], named: str | None) -> tuple[int, ...]:
    """Return where in the file each axis is, in the order in which they are used."""
    wanted = _AXES[len(shape)]
    axes = [axis.strip() for axis in (named or "").split(",")]
    if sorted(axes) != sorted(wanted):
        given = f"--axes {named} does not name" if named else "no option names"
        raise InputError(
            f"{path}: has shape {shape}, and {given} its axes; give them in this order, such as"
            f" --axes {','.join(wanted)}"
        )
    return tuple(axes.index(axis) for axis in wanted)
