"""What depth migration shows of an earth: a point-spread function in the wavenumber domain.

Not trace by trace: the wavelet lies normal to the reflector, so flanks show as far as the dip
limit allows. Lecomte (2008), "Resolution and illumination analyses in PSDM: a ray-based approach".
"""

import numpy as np
import numpy.typing as npt

from saltseg.survey.fields import smoothed
from saltseg.survey.grid import (
    KZ,
    SIDE,
    TAPER,
    Field,
    dip_frame,
    from_spectrum,
    smoothstep,
    to_spectrum,
)
from saltseg.survey.structure import Structure
from saltseg.survey.style import Setting

BANDS = 4
"""Peak frequencies that are imaged and blended."""


def local_frequency(setting: Setting, structure: Structure) -> Field:
    """Return the peak frequency (cycles/px) of each pixel: lower with depth and under salt."""
    rng = setting.generator("frequency")
    lost = np.clip((setting.depth - setting.depth[0]) / 700, 0, 1) * setting.style.frequency_loss
    frequency = setting.peak_frequency * (1 - lost)
    below_salt = np.float32(rng.uniform(0.6, 0.95))
    return smoothed(frequency * np.where(structure.subsalt, below_salt, np.float32(1)), 5)


def migrate(setting: Setting, impedance: Field, frequency: Field) -> Field:
    """Return the image of an earth's ln(impedance), with the given peak frequency at each pixel."""
    rng = setting.generator("imaging")
    phase = np.exp(1j * (setting.style.phase + rng.normal(0, 0.12)))
    wavenumber, operator = _operator(setting, phase)
    spectrum = to_spectrum((impedance - impedance.mean(dtype=np.float64)) * TAPER) * operator
    highest = setting.peak_frequency
    lowest = highest * (1 - setting.style.frequency_loss) * 0.6
    place = np.clip((highest - frequency) / (highest - lowest), 0, 1) * np.float32(BANDS - 1)
    image = np.zeros((SIDE, SIDE), np.float32)
    for band, peak in enumerate(np.linspace(highest, lowest, BANDS)):
        weight = np.maximum(1 - np.abs(place - np.float32(band)), 0)
        wavelet = band_pass(wavenumber / np.float32(peak), setting.style.bandwidth_exponent)
        image += weight * from_spectrum(spectrum * (wavelet * wavenumber / np.float32(peak)))
    return image


def band_pass(ratio: Field, exponent: float) -> Field:
    """Return a spectrum that is 1 at ratio 1 of wavenumber over peak; exponent 2 is Ricker's."""
    half = np.float32(exponent / 2)
    return ratio ** np.float32(exponent) * np.exp(half * (1 - ratio * ratio))


def _operator(setting: Setting, phase: complex) -> tuple[Field, npt.NDArray[np.complex64]]:
    """Return the wavenumbers, and the aperture with the derivative's phase and the wavelet's."""
    wavenumber, dip = dip_frame(setting.exaggeration)
    cosine = np.maximum(np.cos(np.radians(dip)), 0)
    mute = 1 - smoothstep((dip - np.float32(setting.style.dip_limit)) / 14)
    aperture = cosine ** np.float32(setting.style.aperture_exponent) * mute
    aperture[0] = 0
    return wavenumber, (aperture * np.sign(KZ) * (1j * phase)).astype(np.complex64)
