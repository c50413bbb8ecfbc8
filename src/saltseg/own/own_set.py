"""One's own images or survey as a set of crops, with the mosaics that are known."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.model_definitions import CROP, DEEPEST
from saltseg.config.own import SURVEY_ONLY, Own
from saltseg.crops.crop_set import NO_DEPTH, CropSet, crop_table
from saltseg.inference.tiles import to_eight_bits
from saltseg.own.images import find_images, image_sources, is_image_folder
from saltseg.own.sampling import choose_labelled, choose_unlabelled
from saltseg.own.scale import Scale, survey_scale
from saltseg.own.section import OwnSection, Source
from saltseg.own.surveys import open_sources
from saltseg.own.tiling import Place, crop_places, cut
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.progress import progress
from saltseg.seismic.options import SurveyOptions


@dataclass(frozen=True)
class OwnCounts:
    """What was found, and what of it was taken."""

    labelled_sections: int
    unlabelled_sections: int
    labelled_crops: int
    """Crops that could be cut where sections are interpreted."""
    unlabelled_crops: int
    """The same of the sections without labels that were looked at."""


@dataclass(frozen=True)
class _Candidate:
    """A crop that could be cut: its section's number, its place and its id."""

    source: int
    place: Place
    name: str


def read_own(folder: Path, settings: Own, seed: int) -> tuple[CropSet, OwnCounts]:
    """Read a folder of images or of a survey, as own.images and own.surveys describe them.

    The set's table also has a column `mosaic`: see crop_set. Raises InputError for anything that is
    missing, damaged, or contradicts something else.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name one as ingest.raw_dir")
    with _opened(folder, settings) as sources:
        labelled, unlabelled = _candidates(folder, sources, settings.overlap)
        salt = np.array([each.place.salt_pixels for each in labelled], np.int64)
        names = [each.name for each in labelled]
        chosen = choose_labelled(names, salt, settings.most_train, settings.empty_share, seed)
        others = choose_unlabelled([each.name for each in unlabelled], settings.most_test, seed)
        sections = sum(source.labelled for source in sources)
        counts = OwnCounts(sections, len(sources) - sections, len(labelled), len(unlabelled))
        train = sorted((labelled[at] for at in chosen), key=lambda each: each.name)
        test = sorted((unlabelled[at] for at in others), key=lambda each: each.name)
        return _crop_set(sources, train, test, _scale(sources, settings)), counts


@contextmanager
def _opened(folder: Path, settings: Own) -> Iterator[list[Source]]:
    if not is_image_folder(folder):
        with open_sources(folder, settings) as sources:
            yield sources
        return
    idle = [name for name in SURVEY_ONLY if name in settings.model_fields_set]
    if idle:
        raise InputError(
            f"params.yaml: ingest.own.{idle[0]}: means nothing for the images in {folder}; take it"
            " out"
        )
    yield image_sources(find_images(folder), SurveyOptions.of(settings.survey.model_dump()))


def _candidates(
    folder: Path, sources: Sequence[Source], overlap: str
) -> tuple[list[_Candidate], list[_Candidate]]:
    """List the crops that can be cut from labelled and unlabelled sections."""
    found: dict[bool, list[_Candidate]] = {True: [], False: []}
    for number, source in enumerate(progress(sources, "sections", len(sources))):
        found[source.labelled] += [
            _Candidate(number, place, f"{source.name}_{place.row:04d}_{place.column:04d}")
            for place in crop_places(source.read(), overlap)
        ]
    if not found[True]:
        raise InputError(
            f"{folder}: no crop of {CROP} x {CROP} px is interpreted throughout and data for the"
            " most part; label larger parts"
        )
    return found[True], found[False]


def _scale(sources: Sequence[Source], settings: Own) -> Scale | None:
    """Return the survey's scale; None where each crop has its own."""
    if settings.scale == "tile":
        return None
    return survey_scale(source.read() for source in sources if source.labelled)


def _crop_set(
    sources: Sequence[Source],
    train: Sequence[_Candidate],
    test: Sequence[_Candidate],
    scale: Scale | None,
) -> CropSet:
    """Cut the chosen crops, reading each section once."""
    images = [np.zeros((len(part), CROP, CROP), np.uint8) for part in (train, test)]
    masks = np.zeros((len(train), CROP, CROP), bool)
    wanted: dict[int, list[tuple[int, int, Place]]] = {}
    for part, candidates in enumerate((train, test)):
        for row, each in enumerate(candidates):
            wanted.setdefault(each.source, []).append((part, row, each.place))
    for number, crops in progress(sorted(wanted.items()), "sections with crops", len(wanted)):
        section = sources[number].read()
        for part, row, place in crops:
            images[part][row] = _image(section, place, scale)
            if section.label is not None:
                masks[row] = cut(section.label.salt, place.row, place.column)
    labelled, unlabelled = _described(sources, train), _described(sources, test)
    table = crop_table(labelled, unlabelled, unlabelled["id"].tolist())
    mosaics = pd.concat([labelled, unlabelled]).set_index("id")["mosaic"]
    return CropSet(table.assign(mosaic=table["id"].map(mosaics)), images[0], masks, images[1])


def _image(section: OwnSection, place: Place, scale: Scale | None) -> npt.NDArray[np.uint8]:
    pixels = cut(section.pixels, place.row, place.column)
    if section.pixels.dtype == np.uint8 and section.pixels.shape == (CROP, CROP):
        return pixels.astype(np.uint8)  # a crop already, which prediction takes as it is, too
    return to_eight_bits(pixels) if scale is None else scale(pixels)


def _described(sources: Sequence[Source], candidates: Sequence[_Candidate]) -> pd.DataFrame:
    """Return `id`, `depth` and `mosaic` of crops."""
    lines = [
        (each.name, _depth(sources[each.source], each.place), sources[each.source].group)
        for each in candidates
    ]
    table = pd.DataFrame(lines, columns=["id", "depth", "mosaic"])
    return table.astype({"id": object, "depth": "int64", "mosaic": object})


def _depth(source: Source, place: Place) -> int:
    """Return the depth of a crop's first row in whole feet, NO_DEPTH where it is not known."""
    if source.first_depth is None:
        return NO_DEPTH
    return int(np.clip(round(source.first_depth + place.row * source.depth_step), 0, DEEPEST))
