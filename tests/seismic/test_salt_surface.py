"""The surface of salt, and what tells one survey's file from another's."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from saltseg.seismic.bodies import find_bodies
from saltseg.seismic.body_store import write_bodies
from saltseg.seismic.fingerprint import fingerprint
from saltseg.seismic.salt_surface import salt_surface
from saltseg.seismic.store import StoredSurvey
from tests.helpers.small_surveys import Mask, line
from tests.seismic.conftest import Opener, small
from tests.seismic.predictions import predict
from tests.seismic.segy_writer import grid_headers

SHAPE = 12, 10, 200


def labels(opened: Opener, folder: Path, mask: Mask) -> StoredSurvey:
    traces = SHAPE[0] * SHAPE[1]
    headers = grid_headers(range(SHAPE[0]), range(SHAPE[1]))
    survey = opened(small(samples=np.ones((traces, SHAPE[2])), headers=headers))
    store = predict(folder / "store.zarr", survey, mask)
    return write_bodies(folder / "bodies.zarr", survey, store, find_bodies(store, 1))


def test_the_surface_of_a_box_lies_where_the_box_does(opened: Opener, tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[3:8, 2:6, 40:120] = True
    surface = salt_surface(labels(opened, tmp_path, mask))
    assert surface is not None
    assert surface.cell == (1, 1, 3)
    least, most = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    np.testing.assert_allclose(least, [2.5, 1.5, 39.5], atol=1)
    np.testing.assert_allclose(most, [7.5, 5.5, 119.5], atol=1)
    edges = np.sort(surface.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert set(counts) == {2}, "the surface is closed"


def test_the_surface_is_as_coarse_as_it_has_to_be(opened: Opener, tmp_path: Path) -> None:
    mask = np.random.default_rng(1).random(SHAPE) > 0.5
    found = labels(opened, tmp_path, mask)
    surface, coarse = salt_surface(found, 1 << 30), salt_surface(found, 9000)
    assert surface is not None and coarse is not None
    assert len(coarse.triangles) < 9000 < len(surface.triangles)
    assert max(coarse.cell) > max(surface.cell)


@pytest.mark.parametrize("salt", [False, True])
def test_no_salt_has_no_surface_and_nothing_but_salt_a_closed_one(
    opened: Opener, tmp_path: Path, salt: bool
) -> None:
    surface = salt_surface(labels(opened, tmp_path, np.full(SHAPE, salt)))
    assert (surface is not None) is salt


def test_a_line_has_no_surface(opened: Opener, tmp_path: Path) -> None:
    survey = opened(line())
    store = predict(tmp_path / "store.zarr", survey, np.ones((1, 30, 40), bool))
    found = write_bodies(tmp_path / "bodies.zarr", survey, store, find_bodies(store, 1))
    assert salt_surface(found) is None


def test_a_small_file_is_hashed_whole_and_a_large_one_by_pieces(tmp_path: Path) -> None:
    content = np.random.default_rng(1).bytes(3 << 20)
    path = tmp_path / "a.sgy"
    path.write_bytes(content)
    whole = fingerprint(path)
    assert whole["sha256"] == hashlib.sha256(content).hexdigest()
    assert (whole["bytes"], whole["of"]) == (len(content), "the whole file")
    pieces = fingerprint(path, whole=1 << 21)
    assert "MiB of it" in pieces["of"]
    for at in (0, len(content) - 1):
        changed = bytearray(content)
        changed[at] ^= 1
        path.write_bytes(changed)
        assert fingerprint(path, whole=1 << 21)["sha256"] != pieces["sha256"]


def test_a_store_is_known_by_its_files(tmp_path: Path) -> None:
    for name in ("a", "b/c"):
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    first = fingerprint(tmp_path / "store")
    assert (first["bytes"], first["of"]) == (4, "its files")
    assert fingerprint(tmp_path / "store") == first
    (tmp_path / "store" / "a").rename(tmp_path / "store" / "d")
    assert fingerprint(tmp_path / "store")["sha256"] != first["sha256"]
