"""A volume is the same however it is made, and three-dimensional in every direction."""

from pathlib import Path

import numpy as np
import pytest
from scipy import fft, ndimage

from saltseg.plumbing.files import read_json
from saltseg.survey import write_volume
from saltseg.survey.grid import Field, Grid, from_spectrum
from saltseg.survey.imaging import Migration, _aperture, _response
from saltseg.survey.streams import Nodes, Stream
from saltseg.survey.surroundings import without_specks
from saltseg.survey.volumes import Block, Volume, draw_volume, make_block

GRID = Grid(9, 101, 110)
SEED = 3


@pytest.fixture(scope="module")
def volume() -> Volume:
    return draw_volume(SEED, GRID)


@pytest.fixture(scope="module")
def whole(volume: Volume) -> Block:
    return make_block(volume, range(GRID.inlines))


def test_an_inline_on_its_own_is_the_slice(volume: Volume, whole: Block) -> None:
    alone = make_block(volume, range(6, 7))
    assert alone.amplitude.tobytes() == whole.amplitude[6:7].tobytes()
    assert alone.salt.tobytes() == whole.salt[6:7].tobytes()


def test_arrays_are_what_is_promised(whole: Block) -> None:
    shape = (GRID.inlines, GRID.crosslines, GRID.samples)
    assert whole.amplitude.shape == whole.salt.shape == shape
    assert whole.amplitude.dtype == np.float32
    assert np.isfinite(whole.amplitude).all()
    assert 0 < whole.salt.mean() < 1


def test_another_seed_is_another_volume(volume: Volume) -> None:
    assert draw_volume(SEED + 1, GRID).levels != volume.levels


def test_inlines_continue_each_other(whole: Block) -> None:
    """Neighbouring inlines are alike and not the same; far ones are less alike."""
    first = whole.amplitude[0].ravel()
    near, far = (np.corrcoef(first, whole.amplitude[step].ravel())[0, 1] for step in (1, 8))
    assert 0.75 < near < 0.9999
    assert far < near - 0.03


def test_files_of_two_workers_hold_the_same_bytes(tmp_path: Path, whole: Block) -> None:
    """Blocks of five inlines and of four, drawn again, are the whole that one process made."""
    write_volume(tmp_path, SEED, GRID, segy=False, workers=2, block=5)
    np.testing.assert_array_equal(np.load(tmp_path / "amplitude.npy"), whole.amplitude)
    np.testing.assert_array_equal(np.load(tmp_path / "salt.npy"), whole.salt)
    assert read_json(tmp_path / "volume.json")["shape"] == [9, 101, 110]
    assert {path.name for path in tmp_path.iterdir()} == {
        "amplitude.npy",
        "salt.npy",
        "volume.json",
    }


@pytest.mark.parametrize("lengths", [7.0, np.array([[1.0], [4.0], [20.0]], np.float32)])
def test_normals_are_normal_and_stay_alike_over_their_length(lengths: float | Field) -> None:
    grid, nodes = Grid(400, 101, 101), Nodes()
    values = np.stack(
        [
            Stream(1, ("test",), grid, inline, nodes).normals((3, 200), lengths)
            for inline in range(400)
        ]
    )
    assert values.mean() == pytest.approx(0, abs=0.05)
    np.testing.assert_allclose(values.std(axis=(0, 2)), 1, atol=0.06)
    lag = 5
    alike = (values[:-lag] * values[lag:]).mean(axis=(0, 2))
    each = np.broadcast_to(np.atleast_2d(lengths), (3, 1))[:, 0]
    octaves = each if np.ndim(lengths) == 0 else 2 ** np.round(np.log2(np.maximum(each, 1.5)))
    np.testing.assert_allclose(alike, np.exp(-((lag / octaves) ** 2)), atol=0.08)


def test_streams_of_any_order_are_the_same() -> None:
    grid = Grid(50, 101, 101)

    def draw(inline: int, nodes: Nodes) -> Field:
        return Stream(1, ("test",), grid, inline, nodes).normals((40,), 3.0)

    kept = Nodes()
    forwards = [draw(inline, kept) for inline in range(50)]
    for inline in (49, 3, 20):
        np.testing.assert_array_equal(draw(inline, Nodes()), forwards[inline])


def test_imaging_along_inlines_is_imaging_in_three_dimensions(volume: Volume) -> None:
    """The sum over neighbours is the three-dimensional filter, but for its smoothly cut ends."""
    setting = volume.setting
    grid, migration = setting.grid, Migration(setting)
    count = 4 * migration.reach
    place = np.indices((count, *grid.shape)) - np.array([count // 2, 90, 100])[:, None, None, None]
    earth = np.exp(-0.5 * (place**2).sum(axis=0) / 3**2).astype(np.float32)
    spectra = [fft.rfft2(plane) * migration._operator for plane in earth]
    frequency = np.full((1, 1), setting.peak_frequency, np.float32)
    middle = count // 2
    window = spectra[middle - migration.reach : middle + migration.reach + 1]
    fast = migration.image(window, frequency)
    exact = fft.fft(np.stack(spectra), axis=0)
    for mode, ky in enumerate(fft.fftfreq(count)):
        factor = _aperture(setting, ky) * _response(setting, setting.peak_frequency, ky)
        exact[mode] *= factor
    slow = from_spectrum(fft.ifft(exact, axis=0)[middle].astype(np.complex64), grid.shape)
    assert np.corrcoef(fast.ravel(), slow.ravel())[0, 1] > 0.97
    assert np.abs(fast).max() == pytest.approx(np.abs(slow).max(), rel=0.15)


def test_specks_go_and_what_is_long_or_large_stays() -> None:
    salt = np.zeros((12, 40, 40), np.bool_)
    salt[:, 5:9, 5:9] = True  # thin, but through all planes
    salt[4:6, 20:23, 20:23] = True  # a speck
    salt[2:6, 25:38, 2:14] = True  # large
    salt[3:5, 30:32, 5:7] = False  # with a hole
    clean = without_specks(salt, smallest=200, reach=6)
    labels, count = ndimage.label(clean)
    assert count == 2
    assert not clean[4:6, 20:23, 20:23].any()
    assert clean[2:6, 25:38, 2:14].all()
    assert (clean[:, 5:9, 5:9]).all()
    assert labels.max() == 2
