"""Neighbours found from pixels: against the survey that knows them, and on odd borders."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from saltseg.config.model_definitions import CROP
from saltseg.crops import mosaics
from saltseg.crops.mosaics import count_mosaics, crop_neighbours, find_neighbours, name_mosaics
from saltseg.plumbing.seeds import generator
from saltseg.survey import SurveySet, generate

MATCHING = (0.8, 0.6)
"""The least correlation and margin of params.yaml."""

Pairs = set[tuple[str, str, str]]


@pytest.fixture(scope="module")
def survey() -> SurveySet:
    return generate(90, 30, seed=3, workers=0)


def true_pairs(survey: SurveySet) -> Pairs:
    sidecar = survey.sidecar
    right = zip(sidecar["id"], sidecar["right_neighbour"], strict=True)
    lower = zip(sidecar["id"], sidecar["lower_neighbour"], strict=True)
    return {(crop, other, "right") for crop, other in right if other} | {
        (crop, other, "below") for crop, other in lower if other
    }


def found_pairs(neighbours: pd.DataFrame) -> Pairs:
    columns = (neighbours[name] for name in ("id", "neighbour", "side"))
    return set(zip(*columns, strict=True))


def cut(section: npt.NDArray[np.float64], rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """Cut a section into tiles, row by row, each scaled to its own minimum and maximum."""
    size = section.shape[0] // rows
    tiles = section.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(-1, size, size)
    low, high = tiles.min(axis=(1, 2), keepdims=True), tiles.max(axis=(1, 2), keepdims=True)
    return np.rint(255 * (tiles - low) / (high - low)).astype(np.uint8)


def smooth_section(rows: int, columns: int, name: str) -> npt.NDArray[np.float64]:
    """Noise with a correlation of some pixels, of the size of so many tiles of 64 pixels."""
    shape = 64 * rows, 64 * columns
    noise = generator(1, "test", name).standard_normal((2 * shape[0], 2 * shape[1]))
    across, along = np.meshgrid(*map(np.fft.fftfreq, noise.shape), indexing="ij")
    low_pass = np.exp(-(across**2 + along**2) / 0.08**2)
    periodic = np.fft.ifft2(np.fft.fft2(noise) * low_pass).real
    section: npt.NDArray[np.float64] = periodic[: shape[0], : shape[1]]
    return section


def lone_tiles(count: int) -> npt.NDArray[np.uint8]:
    """Tiles of which no two come from the same section."""
    sections = (smooth_section(1, 1, f"lone {number}") for number in range(count))
    return np.concatenate([cut(section, 1, 1) for section in sections])


def noisy_tiles() -> npt.NDArray[np.uint8]:
    """Tiles of four sections with noise, and lone ones: some borders fit others by chance.

    No pair is within rounding of any limit below, so that all of them can be compared.
    """
    rng = generator(2, "test", "noise")
    sections = [smooth_section(3, 3, f"noisy {number}") for number in range(4)]
    noisy = [each + rng.normal(0, 0.2 * each.std(), each.shape) for each in sections]
    return np.concatenate([*(cut(each, 3, 3) for each in noisy), lone_tiles(14)])


def neighbours_by_definition(
    images: npt.NDArray[np.uint8], min_correlation: float, min_margin: float
) -> pd.DataFrame:
    """Border by border in float64: the reference."""
    found = []
    for side, crops in (("below", images), ("right", images.swapaxes(1, 2))):
        lines = crops.astype(np.float64)
        ends = 1.5 * lines[:, -1] - 0.5 * lines[:, -2]
        starts = 1.5 * lines[:, 0] - 0.5 * lines[:, 1]
        table = np.corrcoef(ends, starts)[: len(ends), len(ends) :]
        np.fill_diagonal(table, -1)
        for crop, neighbour in np.ndindex(table.shape):
            correlation = table[crop, neighbour]
            other_starts = np.delete(table[crop], neighbour)
            other_ends = np.delete(table[:, neighbour], crop)
            second = max(other_starts.max(), other_ends.max())
            near = 1 - correlation <= (1 - min_margin) * (1 - second)
            if correlation > second and correlation >= min_correlation and near:
                found.append((crop, neighbour, side, correlation))
    return pd.DataFrame(found, columns=["crop", "neighbour", "side", "correlation"])


@pytest.mark.parametrize(
    ("min_correlation", "min_margin"), [(0.0, 0.0), (0.0, 0.3), (0.5, 0.1), (0.75, 0.0), MATCHING]
)
def test_neighbours_are_those_of_the_definition(min_correlation: float, min_margin: float) -> None:
    tiles = noisy_tiles()
    expected = neighbours_by_definition(tiles, min_correlation, min_margin)
    found = find_neighbours(tiles, min_correlation, min_margin)
    assert len(expected) > 20
    # Rounding the borders moves a correlation by 1e-4 on average: this is six times as much.
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=6e-4)


def test_finds_the_surveys_neighbours_and_hardly_others(survey: SurveySet) -> None:
    found = found_pairs(crop_neighbours(survey.crops, *MATCHING))
    true = true_pairs(survey)
    assert len(true) > 50
    assert len(found & true) / len(found) >= 0.95
    assert len(found & true) / len(true) >= 0.85


def test_mosaics_are_the_same_whatever_the_order_of_rows(survey: SurveySet) -> None:
    images, ids = survey.crops.train_images, survey.crops.train["id"]

    def group(order: npt.NDArray[np.int64]) -> dict[str, str]:
        shuffled = ids.iloc[order].reset_index(drop=True)
        found = find_neighbours(images[order], *MATCHING)
        names = {"id": found["crop"].map(shuffled), "neighbour": found["neighbour"].map(shuffled)}
        return dict(zip(shuffled, name_mosaics(shuffled, pd.DataFrame(names)), strict=True))

    first = group(np.arange(len(ids)))
    assert group(generator(5, "test").permutation(len(ids))) == first
    assert len(set(first.values())) < len(first)


def test_block_size_changes_no_bit(survey: SurveySet, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = find_neighbours(survey.crops.train_images, *MATCHING)
    monkeypatch.setattr(mosaics, "BLOCK", 7)
    pd.testing.assert_frame_equal(
        find_neighbours(survey.crops.train_images, *MATCHING), whole, check_exact=True
    )


def test_products_of_borders_stay_exact_in_float32() -> None:
    """Rounding lengthens a border of 101 pixels by half a pixel's unit in each at the most."""
    assert (mosaics.UNIT + 0.5 * np.sqrt(CROP)) ** 2 < 2**24


def test_finds_right_and_below_in_a_cut_section() -> None:
    found = find_neighbours(cut(smooth_section(2, 3, "section"), 2, 3), *MATCHING)
    pairs = set(zip(found["crop"], found["neighbour"], found["side"], strict=True))
    right = {(tile, tile + 1, "right") for tile in (0, 1, 3, 4)}
    below = {(tile, tile + 3, "below") for tile in (0, 1, 2)}
    assert pairs == right | below
    assert found["correlation"].between(0.8, 1.001).all()


def test_a_border_that_fits_two_crops_fits_neither() -> None:
    tiles = cut(smooth_section(1, 2, "twin"), 1, 2)
    assert len(find_neighbours(tiles, *MATCHING)) == 1
    assert find_neighbours(tiles[[0, 1, 1]], 0.0, 0.0).query("side == 'right'").empty


def test_flat_borders_match_nothing() -> None:
    flat = np.repeat(np.array([0, 0, 90, 255], dtype=np.uint8), 64 * 64).reshape(4, 64, 64)
    assert find_neighbours(flat, 0.0, 0.0).empty


def test_a_crop_is_no_neighbour_of_itself() -> None:
    tiles = lone_tiles(6)
    symmetric = np.concatenate([tiles[:, :, :32], tiles[:, :, 31::-1]], axis=2)
    assert np.array_equal(symmetric[:, :, 0], symmetric[:, :, -1])
    assert find_neighbours(symmetric, *MATCHING).empty


def test_the_margin_drops_chance_resemblance() -> None:
    """Smooth borders of unrelated tiles resemble each other, but then several alike."""
    tiles = lone_tiles(150)
    by_chance = len(find_neighbours(tiles, 0.5, 0.0))
    assert by_chance > 50
    assert len(find_neighbours(tiles, *MATCHING)) < by_chance / 20


def test_mosaics_are_named_after_their_smallest_id() -> None:
    ids = pd.Series(["e", "b", "d", "a", "c"])
    pairs = pd.DataFrame({"id": ["e", "d"], "neighbour": ["d", "b"]})
    assert name_mosaics(ids, pairs).tolist() == ["b", "b", "b", "a", "c"]
    assert name_mosaics(ids, pairs.iloc[::-1]).tolist() == ["b", "b", "b", "a", "c"]
    assert name_mosaics(ids, pairs.iloc[:0]).tolist() == ids.tolist()


def test_counts_leave_out_crops_that_stand_alone() -> None:
    neighbours = pd.DataFrame({"side": ["right", "right", "below"]})
    assert count_mosaics(pd.Series(["a", "a", "a", "b", "c", "c"]), neighbours) == {
        "neighbours_right": 2,
        "neighbours_below": 1,
        "crops_with_neighbour": 5,
        "mosaics": 2,
        "largest_mosaic": 3,
    }
