import numpy as np
import numpy.typing as npt
import pytest

from saltseg.inference.section_tiles import (
    MARGIN,
    OVERLAP,
    Opinions,
    cut,
    predict_section,
    weights,
)

Field = npt.NDArray[np.float32]


def fits(side: int) -> int:
    return side + (112 - side) % 32


def noise(shape: tuple[int, int]) -> Field:
    return np.random.default_rng(2).normal(size=shape).astype(np.float32)


def itself(tiles: Field) -> Opinions:
    """A network that sees a pixel and nothing around it."""
    return Opinions(tiles, tiles**2)


def bordered(tiles: Field) -> Opinions:
    """A network that is wrong wherever it knows its border."""
    found = np.full(tiles.shape, 1e6, np.float32)
    inner = (slice(None), slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    found[inner] = tiles[inner]
    return Opinions(found, found)


@pytest.mark.parametrize("side", [112, 240, 496])
@pytest.mark.parametrize("length", [1, 40, 101, 176, 177, 300, 433, 1000, 3001])
def test_tiles_cover_a_side_evenly(length: int, side: int) -> None:
    found = cut(length, side, fits)
    assert found.side <= side and found.side == fits(found.side)
    assert (found.starts[0], found.starts[-1] + found.side) == (0, found.padded)
    steps = np.diff(found.starts)
    assert (steps <= found.side - found.overlap).all()
    cover = np.zeros(found.padded)
    for start in found.starts:
        cover[start : start + found.side] += weights(found)
    assert (cover[found.before : found.before + length] > 0.1).all()
    assert found == cut(length, side, fits)


@pytest.mark.parametrize("network", [itself, bordered])
@pytest.mark.parametrize("shape", [(30, 1000), (700, 90), (433, 500)])
def test_no_seam_and_no_border_is_seen(shape: tuple[int, int], network: object) -> None:
    image = noise(shape)
    cuts = (cut(shape[0], 240, fits), cut(shape[1], 240, fits))
    found = predict_section(image, np.ones(shape, bool), cuts, network)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.mean, image, atol=1e-5)


def test_blending_is_that_of_a_plain_loop() -> None:
    image, side = noise((130, 300)), 112
    cuts = (cut(130, side, fits), cut(300, side, fits))

    def network(tiles: Field) -> Opinions:
        rows = np.arange(tiles.shape[1], dtype=np.float32)[:, None]
        return Opinions(tiles + rows, tiles * 0 + 1)

    live = np.ones(image.shape, bool)
    found = predict_section(image, live, cuts, network)
    half = OVERLAP // 2 if side > 2 * OVERLAP else side // 4
    padded = np.pad(image, half, mode="symmetric")
    total, weight = np.zeros(padded.shape), np.zeros(padded.shape)
    for top in cuts[0].starts:
        for left in cuts[1].starts:
            for row in range(cuts[0].side):
                here = (top + row, slice(left, left + cuts[1].side))
                share = weights(cuts[0])[row] * weights(cuts[1])
                total[here] += share * (padded[here] + row)
                weight[here] += share
    inner = (slice(half, half + 130), slice(half, half + 300))
    expected = total[inner] / weight[inner]
    np.testing.assert_allclose(found.mean, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.variance, 1, rtol=1e-5)


def test_tiles_without_data_are_not_predicted() -> None:
    image, live = noise((100, 1000)), np.zeros((100, 1000), bool)
    live[:, 700:] = True
    seen = []

    def network(tiles: Field) -> Opinions:
        seen.append(len(tiles))
        return itself(tiles)

    cuts = (cut(100, 240, fits), cut(1000, 240, fits))
    found = predict_section(image, live, cuts, network)
    assert 0 < sum(seen) < len(cuts[1].starts)
    np.testing.assert_allclose(found.mean[live], image[live], atol=1e-5)
    assert not predict_section(image, live & False, cuts, network).mean.any()
