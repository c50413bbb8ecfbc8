"""A model's networks as a survey's sections are predicted: on large tiles, all opinions kept."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP, ModelDefinition
from saltseg.config.params import Params, load_params
from saltseg.inference.ensemble import find_predicting, load_parts
from saltseg.inference.section_tiles import Cut, Opinions, cut, predict_section
from saltseg.inference.tiles import to_eight_bits
from saltseg.models.devices import available_runtime
from saltseg.models.tiles import takes_tiles, whole_side
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.seismic.choices import Members, ScaleOf
from saltseg.seismic.resampling import brought_back, resampled, sample_fraction
from saltseg.seismic.scaling import Scale, grey
from saltseg.seismic.survey import Section
from saltseg.serving.depths import reads_depth


class SurveyNetworks:
    """All members and folds of a model, as they predict sections.

    side: of the tiles. bound: whether it is a crop's, for a network that knows its place in it.
    """

    def __init__(self, folder: Path, members: Members, side: int, depth: float | None) -> None:
        """Load the model in `folder`; depth: of all that is predicted, in feet.

        side: of the tiles, in pixels; what fits the networks and is no larger is taken.
        Raises InputError where the folder is damaged, or a depth is wanted.
        """
        layout = Layout(folder)
        params = load_params(layout.params)
        params = params.model_copy(update={"runtime": available_runtime(params.runtime)})
        self._definitions = [params.models[each] for each in params.train_per_fold.members]
        self.bound = not all(map(takes_tiles, self._definitions))
        self.side = CROP if self.bound else _fitting(self._definitions[0], side)
        self._depth = _depth(params, depth)
        snapshots = find_predicting(layout, params)
        fast = members is Members.FAST
        self.parts = list(load_parts(params, snapshots, not self.bound, fast))

    def predict(self, section: Section, scale: Scale, sample_scale: float = 1.0) -> Opinions:
        """Return the opinions on a section, float32 (traces, samples) as the section lies.

        sample_scale: samples that are made of each one before it is looked at.
        """
        fraction = sample_fraction(sample_scale)
        image = resampled(scale.gained(section.amplitude), fraction).T
        live = np.ones(image.shape, bool)
        if not section.live.all():
            rows = np.arange(len(image)) / float(fraction)
            near = np.minimum(np.rint(rows).astype(int), section.live.shape[1] - 1)
            live = section.live.T[near]
        cuts = (self._cut(image.shape[0]), self._cut(image.shape[1]))
        found = predict_section(
            np.clip(image, -1, 1), live, cuts, lambda tiles: self._opinions(tiles, scale)
        )
        samples = section.amplitude.shape[1]
        mean, variance = (
            brought_back(each.T, fraction, samples) for each in (found.mean, found.variance)
        )
        return Opinions(mean, variance)

    def _cut(self, length: int) -> Cut:
        if self.bound:
            return cut(length, self.side, lambda _: CROP)
        return cut(length, self.side, lambda side: whole_side(self._definitions[0], side))

    def _opinions(self, tiles: npt.NDArray[np.float32], scale: Scale) -> Opinions:
        if scale.of is ScaleOf.TILE:
            images = np.stack([to_eight_bits(tile) for tile in tiles])
        else:
            images = grey(tiles)
        feet = np.full(len(images), self._depth, np.float32)
        mean, squares = (np.zeros(tiles.shape, np.float32) for _ in range(2))
        for part in self.parts:
            said = part.predict(images, feet)
            mean += np.float32(part.test_share) * said
            squares += np.float32(part.test_share) * said**2
        return Opinions(mean, np.maximum(squares - mean**2, 0))


def _fitting(definition: ModelDefinition, side: int) -> int:
    """Return the largest side of at most `side` that a network takes without padding."""
    sides = [each for each in range(CROP, side + 1) if whole_side(definition, each) == each]
    return sides[-1] if sides else CROP


def _depth(params: Params, depth: float | None) -> float:
    if depth is None and reads_depth(params):
        raise InputError("the model reads depths, in feet: give that of the survey with --depth")
    return depth or 0.0
