"""The colours of all figures: one colour per meaning, distinguishable by the colour-blind.

Most hues are from Okabe and Ito ("Color Universal Design", 2008). Their green looks grey on grey
images to deuteranopes, so errors are magenta. A test simulates three kinds of colour-blindness and
checks that the translucent fills differ from each other and from the image.
"""

from dataclasses import dataclass

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

ORANGE: Colour = (230, 159, 0)
SKY_BLUE: Colour = (86, 180, 233)
MAGENTA: Colour = (180, 0, 140)
BLUE: Colour = (0, 114, 178)
VERMILION: Colour = (213, 94, 0)
GREEN: Colour = (0, 158, 115)

INK: Colour = (40, 40, 40)
"""Text and axes."""

SERIES = (BLUE, ORANGE, MAGENTA, SKY_BLUE, VERMILION, GREEN)
"""Colours of the lines and bars of a chart, in order."""

PROBABILITY_MAP = "cividis"
DISAGREEMENT_MAP = "magma"
"""Matplotlib's names of the colours of a probability, and of how far predictions disagree: even
steps, also for the colour-blind."""


@dataclass(frozen=True)
class Paint:
    """A meaning in a picture: its words in the legend, and how its area is drawn."""

    label: str
    colour: Colour
    opacity: float = 0.4
    """Opacity of the fill, 0 to 1; the outline is opaque."""


TRUTH = Paint("true salt", ORANGE)
PREDICTION = Paint("predicted salt", SKY_BLUE)

# Predicted salt keeps its colour where it is right, true salt where it was not found.
HIT = Paint("hit: predicted, and salt", SKY_BLUE)
MISSED = Paint("missed: salt, not predicted", ORANGE)
FALSE = Paint("false: predicted, no salt", MAGENTA)


def shade(colour: Colour) -> tuple[float, float, float]:
    """Return a colour for matplotlib: red, green and blue from 0 to 1."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
