"""The number of the body that each sample belongs to, as a store of its own."""

from pathlib import Path

from saltseg.plumbing.progress import progress
from saltseg.seismic.bodies import Bodies
from saltseg.seismic.bricks import count_bricks
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.store import StoredSurvey, complete, create_store, open_store
from saltseg.seismic.survey import Survey

BODY = "body"


def write_bodies(path: Path, survey: Survey, store: StoredSurvey, bodies: Bodies) -> StoredSurvey:
    """Write the bodies of a store with the places of `survey`, and open what was written."""
    group = create_store(path, survey, [BODY], {"least_body": bodies.least})
    array = group[BODY]
    count = count_bricks(bodies.shape, bodies.side)
    for brick, labels in progress(bodies.labelled(store), "numbered bodies", count):
        rows, columns, samples = brick.slices
        if store.grid.line:
            array[columns, samples] = labels[0]  # type: ignore[index]
        else:
            array[rows, columns, samples] = labels  # type: ignore[index]
    complete(group)
    return open_store(path, SurveyOptions(), [BODY])
