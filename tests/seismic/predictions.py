"""Stores as prediction leaves them, of masks that the test makes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.seismic.grid import NO_TRACE
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.store import StoredSurvey, complete, create_store, open_store
from saltseg.seismic.survey import Survey

PREDICTED = ("probability", "mask", "disagreement", "live")


def predict(
    path: Path,
    survey: Survey,
    mask: npt.NDArray[np.bool_],
    dead: npt.NDArray[np.bool_] | None = None,
    facts: Mapping[str, object] | None = None,
) -> StoredSurvey:
    """Write a store with a mask, shape (inlines, crosslines, samples), of a line (1, traces, ...).

    facts: further JSON values for its attribute.
    dead: samples that are no data, beside places without a trace. Probabilities lie above .5 in
    salt and below elsewhere, and no two are equal.
    """
    live = np.broadcast_to((survey.grid.traces != NO_TRACE)[..., None], mask.shape)
    live = live if dead is None else live & ~dead
    spread = np.linspace(0, 0.4999, mask.size, dtype=np.float32).reshape(mask.shape)
    values = {
        "probability": np.where(live, np.where(mask, 1 - spread, spread), np.nan),
        "mask": mask & live,
        "disagreement": np.where(live, spread, np.nan),
        "live": live,
    }
    group = create_store(path, survey, PREDICTED, facts or {})
    for name, array in values.items():
        group[name][...] = array[0] if survey.grid.line else array  # type: ignore[index]
    complete(group)
    return open_store(path, SurveyOptions(), PREDICTED)
