"""Random fields and curves, computed at the resolution that they need, and fast smoothing."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from saltseg.survey.grid import BLOCK_SIDE, Field, Mask
from saltseg.survey.streams import Stream


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def smooth_field(rng: Stream, length_z: float, length_x: float) -> Field:
    """Return a Gaussian random field with a Gaussian spectrum: mean 0, standard deviation 1.

    Lengths are correlation lengths in pixels; length_x also applies along inlines. Only
    wavenumbers with significant energy are drawn.
    """
    height, width = rng.grid.shape
    kz_count, kx_count = _modes(height, length_z), _modes(width, length_x)

    def shape(kz: Field, kx: Field) -> Field:
        squared = (kz * np.float32(length_z)) ** 2 + (kx * np.float32(length_x)) ** 2
        return np.exp(np.float32(-(np.pi**2) / 2) * squared)

    return _field(rng, kz_count, kx_count, shape, lambda _kz, _kx: length_x)


def rough_field(rng: Stream, length_z: float, length_x: float, exponent: float) -> Field:
    """Return a Gaussian random field with a von Karman spectrum: mean 0, standard deviation 1.

    Flat below 1/length, falling as wavenumber^-exponent above it (Goff and Jordan, 1988,
    "Stochastic modeling of seafloor morphology", eq. 1), up to 0.25 cycles per pixel.
    """

    def shape(kz: Field, kx: Field) -> Field:
        squared = (kz * np.float32(length_z)) ** 2 + (kx * np.float32(length_x)) ** 2
        return (1 + np.float32(4 * np.pi**2) * squared) ** np.float32(-exponent / 2)

    def length(kz: Field, kx: Field) -> Field:
        squared = (kz * np.float32(length_z)) ** 2 + (kx * np.float32(length_x)) ** 2
        return length_x / np.sqrt(1 + np.float32(4 * np.pi**2) * squared)

    height, width = rng.grid.shape
    return _field(rng, height // 4, width // 4, shape, length)


def smooth_curve(rng: Stream, length: float, values: int | None = None) -> Field:
    """Return a Gaussian random curve; `length`, in pixels, also applies along inlines.

    values: their number, by default one for each column.
    """
    values = values or rng.grid.width
    wavenumber = fft.rfftfreq(2 * values).astype(np.float32)
    shape = np.exp(np.float32(-(np.pi**2) / 2) * (wavenumber * np.float32(length)) ** 2)
    spectrum = fft.rfft(rng.normals((2 * values,), length)) * shape
    return _standardised(fft.irfft(spectrum, n=2 * values)[:values])


def spectral_noise(rng: Stream, amplitude: Field, lengths: Field) -> Field:
    """Return noise with the given amplitude spectrum (half spectrum): mean 0, deviation 1.

    lengths: correlation length of each wave along inlines.
    """
    spectrum = _complex_normal(rng, amplitude.shape, lengths)
    spectrum *= amplitude
    spectrum[0, 0] = 0
    return _standardised(fft.irfft2(spectrum, s=rng.grid.shape, overwrite_x=True))


def smoothed(field: Field | Mask, sigma: float) -> Field:
    """Return a Gaussian-smoothed field; wide filters use block means, which is much faster."""
    factor = block_side(sigma)
    return smoothed_blocks(shrunk(field, factor), sigma, factor)


def block_side(sigma: float) -> int:
    """Return the block side for a filter of this width."""
    return next(step for step in (BLOCK_SIDE, 8, 4, 2, 1) if step == 1 or sigma >= 2.5 * step)


def smoothed_blocks(coarse: Field, sigma: float, factor: int) -> Field:
    """Smooth the means of blocks by `sigma` pixels, and interpolate between them."""
    filtered = ndimage.gaussian_filter(coarse, sigma / factor, mode="nearest", truncate=3.0)
    return enlarged(filtered, factor)


def shrunk(field: Field | Mask, factor: int) -> Field:
    """Return the means of blocks of factor x factor pixels."""
    height, width = (side // factor for side in field.shape)
    blocks = field.astype(np.float32, copy=False).reshape(height, factor, width, factor)
    return blocks.mean(axis=(1, 3), dtype=np.float32) if factor > 1 else blocks[:, 0, :, 0]


def enlarged(field: Field, factor: int) -> Field:
    """Interpolate bilinearly between the centres of blocks of factor x factor pixels."""
    return _enlarged_rows(_enlarged_rows(field, factor).T, factor).T if factor > 1 else field


def _enlarged_rows(field: Field, factor: int) -> Field:
    position = (np.arange(len(field) * factor, dtype=np.float32) + 0.5) / factor - 0.5
    position = np.clip(position, 0, len(field) - 1)
    lower = np.minimum(position.astype(np.intp), len(field) - 2)
    weight = (position - lower).astype(np.float32)[:, None]
    return field[lower] * (1 - weight) + field[lower + 1] * weight


def _modes(side: int, length: float) -> int:
    """Return the number of wavenumbers, from zero, with a non-negligible Gaussian spectrum."""
    return min(side // 2, int(side * 0.95 / length) + 3)


def _field(
    rng: Stream,
    kz_count: int,
    kx_count: int,
    shape: Callable[[Field, Field], Field],
    length: Callable[[Field, Field], Field | float],
) -> Field:
    """Sum random waves of the lowest wavenumbers; few columns make the first transform cheap.

    shape, length: amplitude of a wave, and its correlation length along inlines.
    """
    height, width = rng.grid.shape
    rows = np.r_[0:kz_count, height - kz_count : height]
    kz, kx = rng.grid.kz[rows], rng.grid.kx[:, :kx_count]
    waves = _complex_normal(rng, (len(rows), kx_count), length(kz, kx))
    waves *= shape(kz, kx)
    waves[0, 0] = 0
    spectrum = np.zeros((height, kx_count), np.complex64)
    spectrum[rows] = waves
    columns = fft.ifft(spectrum, axis=0, overwrite_x=True)
    return _standardised(fft.irfft(columns, n=width, axis=1))


def _complex_normal(
    rng: Stream, shape: tuple[int, ...], lengths: Field | float
) -> npt.NDArray[np.complex64]:
    each = lengths[..., None] if isinstance(lengths, np.ndarray) else lengths
    pairs = rng.normals((*shape, 2), each)
    return pairs.view(np.complex64)[..., 0]


def _standardised(values: Field) -> Field:
    centred = values - values.mean(dtype=np.float64).astype(np.float32)
    deviation = np.sqrt(np.square(centred).mean(dtype=np.float64))
    scaled: Field = centred * np.float32(1 / (deviation + 1e-12))
    return scaled
