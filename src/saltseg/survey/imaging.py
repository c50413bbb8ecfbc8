"""Simulated depth migration: a point-spread function in the wavenumber domain.

Unlike trace-by-trace convolution it puts the wavelet normal to the reflector, so flanks are imaged
up to the dip limit. Lecomte (2008), "Resolution and illumination analyses in PSDM: a ray-based
approach".
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from saltseg.survey.fields import smoothed
from saltseg.survey.grid import Field, Grid, from_spectrum, smoothstep, to_spectrum
from saltseg.survey.structure import Structure
from saltseg.survey.style import Setting

Spectrum = npt.NDArray[np.complex64]
"""Half spectrum of an inline."""

BANDS = 4
"""Number of peak frequencies that are imaged and blended."""


def local_frequency(setting: Setting, structure: Structure) -> Field:
    """Return the peak frequency (cycles/px) of each pixel: lower with depth and under salt."""
    rng = setting.generator("frequency")
    lost = np.clip((setting.depth - setting.depth[0]) / 700, 0, 1) * setting.style.frequency_loss
    frequency = setting.peak_frequency * (1 - lost)
    below_salt = np.float32(rng.uniform(0.6, 0.95))
    return smoothed(frequency * np.where(structure.subsalt, below_salt, np.float32(1)), 5)


class Migration:
    """The point-spread function of a survey, applied to an inline and its neighbours.

    Along inlines it is short, and computed as a sum over the `reach` neighbours on either side.
    """

    def __init__(self, setting: Setting, reach: int | None = None) -> None:
        """Prepare for the inlines of a setting. reach: 0 images an inline without neighbours."""
        rng = setting.generator("imaging")
        self._phase = np.exp(1j * (setting.style.phase + rng.normal(0, 0.12)))
        self._setting = setting
        self._highest = setting.peak_frequency
        self._lowest = self._highest * (1 - setting.style.frequency_loss) * 0.6
        self.reach = _reach(setting) if reach is None else reach
        peaks = np.linspace(self._highest, self._lowest, BANDS)
        self._kernels = [self._kernel(peak) for peak in peaks]
        """For each band, the factors for the spectra of the inline and its neighbours."""

    def spectrum(self, impedance: Field) -> Spectrum:
        """Transform an inline's ln(impedance), minus its mean, with the derivative's phase."""
        grid = self._setting.grid
        level = impedance.mean(dtype=np.float64)
        return to_spectrum((impedance - level) * grid.taper) * self._operator

    def image(self, spectra: Sequence[Spectrum], frequency: Field) -> Field:
        """Return the image of an inline, with the given peak frequency at each pixel.

        spectra: of 2 * reach + 1 inlines, with this one in the middle.
        """
        middle = self.reach
        sums = [spectra[middle]]
        sums += [spectra[middle - k] + spectra[middle + k] for k in range(1, middle + 1)]
        place = np.clip((self._highest - frequency) / (self._highest - self._lowest), 0, 1)
        place = place * np.float32(BANDS - 1)
        image = np.zeros(self._setting.grid.shape, np.float32)
        for band, kernel in enumerate(self._kernels):
            weight = np.maximum(1 - np.abs(place - np.float32(band)), 0)
            spectrum = sums[0] * kernel[0]
            for factor, pair in zip(kernel[1:], sums[1:], strict=True):
                spectrum += pair * factor
            image += weight * from_spectrum(spectrum, self._setting.grid.shape)
        return image

    @cached_property
    def _operator(self) -> Spectrum:
        """The phase of the derivative and of the wavelet; for a section, the aperture as well."""
        kz = self._setting.grid.kz
        aperture = _aperture(self._setting, 0.0) if not self.reach else np.float32(1)
        return (aperture * np.sign(kz) * (1j * self._phase)).astype(np.complex64)

    def _kernel(self, peak: float) -> list[Field]:
        """Return the factors of a band: the transform over ky of its response, windowed."""
        if not self.reach:
            return [_response(self._setting, peak, 0.0)]
        count = 4 * self.reach
        factors = np.zeros((self.reach + 1, *_half(self._setting.grid)), np.float32)
        lags = np.arange(self.reach + 1)
        window = np.cos(np.pi / 2 * lags / (self.reach + 1)) ** 2
        for mode in range(count // 2 + 1):
            ky = mode / count
            share = (1 if mode in (0, count // 2) else 2) / count
            response = _response(self._setting, peak, ky) * _aperture(self._setting, ky)
            for lag in lags.tolist():
                weight = share * window[lag] * np.cos(2 * np.pi * ky * lag)
                factors[lag] += np.float32(weight) * response
        return list(factors)


def band_pass(ratio: Field, exponent: float) -> Field:
    """Return a spectrum with peak 1 where wavenumber / peak is 1; exponent 2 is Ricker's."""
    half = np.float32(exponent / 2)
    return ratio ** np.float32(exponent) * np.exp(half * (1 - ratio * ratio))


def _reach(setting: Setting) -> int:
    """Return how many neighbours an image includes on either side: a few true wavelengths."""
    if setting.grid.is_section:
        return 0
    return int(np.clip(np.ceil(2.5 * setting.wavelength / setting.exaggeration), 6, 32))


def _half(grid: Grid) -> tuple[int, int]:
    return grid.height, grid.width // 2 + 1


def _response(setting: Setting, peak: float, ky: float) -> Field:
    """Return the wavelet's spectrum times the derivative's slope."""
    wavenumber, _dip = setting.grid.dip_frame(setting.exaggeration, ky)
    wavelet = band_pass(wavenumber / np.float32(peak), setting.style.bandwidth_exponent)
    return wavelet * wavenumber / np.float32(peak)


def _aperture(setting: Setting, ky: float) -> Field:
    """Return how strongly each dip is imaged: steep ones weakly, none beyond the dip limit."""
    _wavenumber, dip = setting.grid.dip_frame(setting.exaggeration, ky)
    cosine = np.maximum(np.cos(np.radians(dip)), 0)
    mute = 1 - smoothstep((dip - np.float32(setting.style.dip_limit)) / 14)
    aperture = cosine ** np.float32(setting.style.aperture_exponent) * mute
    aperture[0] = 0
    return aperture
