"""Bodies by brick against labelling at once and plain loops."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import ndimage

from saltseg.seismic.bodies import Bodies, find_bodies
from saltseg.seismic.bricks import Shape
from saltseg.seismic.store import StoredSurvey
from tests.helpers.small_surveys import SHAPE, Mask, blobs
from tests.seismic.conftest import Opener, small
from tests.seismic.predictions import predict
from tests.seismic.segy_writer import Segy, grid_headers, volume

BRICKS: list[Shape] = [(256, 256, 256), (1, 1, 5), (2, 3, 7), (6, 1, 40), (4, 4, 16)]


def whole(bodies: Bodies, store: StoredSurvey) -> npt.NDArray[np.int32]:
    volume = np.zeros(store.shape, np.int32)
    for brick, labels in bodies.labelled(store):
        volume[brick.slices] = labels
    return volume


def slowly(store: StoredSurvey, mask: Mask, live: Mask, least: int) -> tuple[Mask, list[dict]]:
    """Label at once and measure each body sample by sample."""
    everything = slice(None), slice(None)
    probability = store.block("probability", *everything)
    labels, count = ndimage.label(mask & live)
    axes = (1, 2) if store.grid.line else (0, 1, 2)
    found = []
    for label in range(1, count + 1):
        places = list(zip(*np.nonzero(labels == label), strict=True))
        if len(places) < least:
            continue
        outer = cut = 0
        for place in places:
            for axis in axes:
                for step in (-1, 1):
                    beside = list(place)
                    beside[axis] += step
                    inside = 0 <= beside[axis] < labels.shape[axis]
                    if inside and labels[tuple(beside)] > 0:
                        continue
                    outer += 1
                    cut += not (inside and live[tuple(beside)])
        apex = min((s, i, c) for i, c, s in places)
        found.append(
            {
                "label": label,
                "samples": len(places),
                "apex": (apex[0] * labels.shape[0] + apex[1]) * labels.shape[1] + apex[2],
                "i0": min(p[0] for p in places),
                "i1": max(p[0] for p in places),
                "c0": min(p[1] for p in places),
                "c1": max(p[1] for p in places),
                "s0": min(p[2] for p in places),
                "s1": max(p[2] for p in places),
                "total": sum(float(probability[p]) for p in places),
                "outer": outer,
                "cut": cut,
            }
        )
    found.sort(key=lambda body: (-body["samples"], body["apex"]))
    numbers = np.zeros(count + 1, np.int32)
    for number, body in enumerate(found, start=1):
        numbers[body.pop("label")] = number
    return numbers[labels], found


@pytest.mark.parametrize("side", BRICKS)
@pytest.mark.parametrize("least", [1, 12])
def test_bodies_are_those_of_labelling_at_once(
    opened: Opener, tmp_path: Path, side: Shape, least: int
) -> None:
    mask, dead = blobs(), blobs(seed=2, above=1.2)
    store = predict(tmp_path / "a.zarr", opened(small()), mask, dead)
    bodies = find_bodies(store, least, side)
    labels, table = slowly(store, mask, ~dead, least)
    assert len(table) > 2
    np.testing.assert_array_equal(whole(bodies, store), labels)
    slow = pd.DataFrame(table)[bodies.table.columns.tolist()]
    pd.testing.assert_frame_equal(bodies.table, slow, rtol=1e-7)
    once = find_bodies(store, least, (256, 256, 256))
    pd.testing.assert_frame_equal(bodies.table, once.table, check_exact=True)
    assert (bodies.removed, bodies.removed_samples) == (once.removed, once.removed_samples)
    assert bodies.removed_samples == (mask & ~dead).sum() - (labels > 0).sum()


def test_bodies_of_a_line(opened: Opener, tmp_path: Path) -> None:
    headers = [{21: number} for number in range(1, 31)]
    segy = Segy(samples=volume(6, 5).reshape(-1, 40), headers=headers)
    mask = blobs((1, 30, 40))
    store = predict(tmp_path / "a.zarr", opened(segy), mask)
    bodies = find_bodies(store, 3, (1, 7, 9))
    labels, table = slowly(store, mask, np.ones_like(mask), 3)
    np.testing.assert_array_equal(whole(bodies, store), labels)
    slow = pd.DataFrame(table)[bodies.table.columns.tolist()]
    pd.testing.assert_frame_equal(bodies.table, slow, rtol=1e-7)


@pytest.mark.parametrize(("salt", "count", "share"), [(False, 0, None), (True, 1, 1.0)])
def test_no_salt_and_nothing_but_salt(
    opened: Opener, tmp_path: Path, salt: bool, count: int, share: float | None
) -> None:
    survey = opened(small(headers=grid_headers(range(100, 112, 2), range(300, 305))))
    store = predict(tmp_path / "a.zarr", survey, np.full(SHAPE, salt))
    bodies = find_bodies(store, 1, (4, 4, 16))
    assert len(bodies.table) == count
    if share is not None:
        assert (bodies.table["cut"] == bodies.table["outer"]).all()


def test_bodies_of_many_inlines(opened: Opener, tmp_path: Path) -> None:
    """More inlines than are measured at once."""
    shape = 40, 3, 6
    headers = grid_headers(range(40), range(3))
    survey = opened(small(samples=np.ones((120, 6)), headers=headers))
    mask = blobs(shape)
    store = predict(tmp_path / "a.zarr", survey, mask)
    bodies = find_bodies(store, 2)
    labels, table = slowly(store, mask, np.ones_like(mask), 2)
    np.testing.assert_array_equal(whole(bodies, store), labels)
    slow = pd.DataFrame(table)[bodies.table.columns.tolist()]
    pd.testing.assert_frame_equal(bodies.table, slow, rtol=1e-7)
