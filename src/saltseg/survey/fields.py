"""Random fields and curves, made at the resolution that they need, and cheap smoothing."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from saltseg.survey.grid import KX, KZ, SIDE, Field, Mask

Generator = np.random.Generator


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def smooth_field(rng: Generator, length_z: float, length_x: float) -> Field:
    """Return a Gaussian random field with a Gaussian spectrum: mean 0, standard deviation 1.

    Lengths are correlation lengths in pixels. Only the wavenumbers that carry energy are drawn.
    """
    kz_count, kx_count = _modes(length_z), _modes(length_x)

    def shape(kz: Field, kx: Field) -> Field:
        squared = (kz * np.float32(length_z)) ** 2 + (kx * np.float32(length_x)) ** 2
        return np.exp(np.float32(-(np.pi**2) / 2) * squared)

    return _field(rng, kz_count, kx_count, shape)


def rough_field(rng: Generator, length_z: float, length_x: float, exponent: float) -> Field:
    """Return a Gaussian random field with a von Karman spectrum: mean 0, standard deviation 1.

    Flat below 1/length, falling as wavenumber^-exponent above it (Goff and Jordan, 1988,
    "Stochastic modeling of seafloor morphology", eq. 1), up to 0.25 cycles per pixel.
    """

    def shape(kz: Field, kx: Field) -> Field:
        squared = (kz * np.float32(length_z)) ** 2 + (kx * np.float32(length_x)) ** 2
        return (1 + np.float32(4 * np.pi**2) * squared) ** np.float32(-exponent / 2)

    return _field(rng, SIDE // 4, SIDE // 4, shape)


def smooth_curve(rng: Generator, length: float) -> Field:
    """Return a Gaussian random curve of SIDE values, with correlation length in pixels."""
    count = 2 * SIDE
    wavenumber = fft.rfftfreq(count).astype(np.float32)
    shape = np.exp(np.float32(-(np.pi**2) / 2) * (wavenumber * np.float32(length)) ** 2)
    spectrum = fft.rfft(rng.standard_normal(count, dtype=np.float32)) * shape
    return _standardised(fft.irfft(spectrum, n=count)[:SIDE])


def spectral_noise(rng: Generator, amplitude: Field) -> Field:
    """Return noise with the given amplitude spectrum (half spectrum): mean 0, deviation 1."""
    spectrum = _complex_normal(rng, amplitude.shape)
    spectrum *= amplitude
    spectrum[0, 0] = 0
    return _standardised(fft.irfft2(spectrum, s=(SIDE, SIDE), overwrite_x=True))


def smoothed(field: Field | Mask, sigma: float) -> Field:
    """Return a Gaussian-smoothed field; wide filters work on block means, which is much faster."""
    factor = next(step for step in (16, 8, 4, 2, 1) if step == 1 or sigma >= 2.5 * step)
    coarse = shrunk(field, factor)
    filtered = ndimage.gaussian_filter(coarse, sigma / factor, mode="nearest", truncate=3.0)
    return enlarged(filtered, factor)


def shrunk(field: Field | Mask, factor: int) -> Field:
    """Return the means of blocks of factor x factor pixels."""
    side = SIDE // factor
    blocks = field.astype(np.float32, copy=False).reshape(side, factor, side, factor)
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


def _modes(length: float) -> int:
    """Count the wavenumbers, from zero up, at which a Gaussian spectrum is not yet nothing."""
    return min(SIDE // 2, int(SIDE * 0.95 / length) + 3)


def _field(
    rng: Generator, kz_count: int, kx_count: int, shape: Callable[[Field, Field], Field]
) -> Field:
    """Sum random waves of the lowest wavenumbers; few columns make the first transform cheap."""
    rows = np.r_[0:kz_count, SIDE - kz_count : SIDE]
    waves = _complex_normal(rng, (len(rows), kx_count))
    waves *= shape(KZ[rows], KX[:, :kx_count])
    waves[0, 0] = 0
    spectrum = np.zeros((SIDE, kx_count), np.complex64)
    spectrum[rows] = waves
    columns = fft.ifft(spectrum, axis=0, overwrite_x=True)
    return _standardised(fft.irfft(columns, n=SIDE, axis=1))


def _complex_normal(rng: Generator, shape: tuple[int, ...]) -> npt.NDArray[np.complex64]:
    pairs = rng.standard_normal((*shape, 2), dtype=np.float32)
    return pairs.view(np.complex64)[..., 0]


def _standardised(values: Field) -> Field:
    centred = values - values.mean(dtype=np.float64).astype(np.float32)
    deviation = np.sqrt(np.square(centred).mean(dtype=np.float64))
    scaled: Field = centred * np.float32(1 / (deviation + 1e-12))
    return scaled
