"""From amplitude to grey values: automatic gain control, clipping, polarity, 8 bits."""

import numpy as np
import numpy.typing as npt

from saltseg.survey.fields import smoothed
from saltseg.survey.grid import Field
from saltseg.survey.style import Setting


def display(setting: Setting, image: Field, white: float | None = None) -> tuple[Field, float]:
    """Return the image after display processing, and the amplitude that was scaled to 1.

    white: that amplitude for the whole survey; by default the image's own 99th percentile.
    """
    rng = setting.generator("display")
    if setting.style.gain_power:
        window = rng.uniform(35, 160)
        envelope = smoothed(image * image, window) + 1e-12
        image = image * envelope ** np.float32(-0.5 * setting.style.gain_power)
    if white is None:
        white = float(np.percentile(np.abs(image[::2, ::2]), 99).astype(np.float32) + 1e-12)
    image = image / np.float32(white)
    if rng.random() < setting.style.clipped:
        image = np.tanh(image * np.float32(rng.uniform(*setting.style.clip)))
    return image * np.float32(setting.style.polarity), white


def to_grey(crop: Field, shortfalls: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """Scale a crop from its own range to 0..255, less `shortfalls` levels at either end."""
    low, high = crop.min(), crop.max()
    if high - low < 1e-9:
        return np.zeros(crop.shape, np.uint8)
    levels = 255 - sum(shortfalls)
    return np.round(shortfalls[0] + (crop - low) * (levels / (high - low))).astype(np.uint8)
