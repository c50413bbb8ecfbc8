"""A folder with one survey and its labels.

| | |
|---|---|
| any .sgy, .segy or .zarr | the survey |
| mask.*, salt.*, *_mask.*, *_salt.* | a mask volume: .sgy, .segy, .zarr, .npy |
| polygons.geojson, .json or .csv | or polygons: see own.polygons |
| horizons.csv | or top and base of salt: see own.horizons |
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from saltseg.config.own import Own
from saltseg.own.blocks import line_blocks
from saltseg.own.horizons import Horizons
from saltseg.own.labels import Labels
from saltseg.own.mask_volume import MaskVolume, open_mask_volume
from saltseg.own.polygons import Polygons
from saltseg.own.section import Label, OwnSection, Source
from saltseg.own.tiling import crop_starts
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.litter import is_litter
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import Domain, SurveyOptions
from saltseg.seismic.sampling import Sampling
from saltseg.seismic.survey import Section, Survey

Labeller = Callable[[Section, Sampling], Label]
"""Says what is known of a section."""

VOLUMES = (".sgy", ".segy", ".zarr")
POLYGONS = ("polygons.geojson", "polygons.json", "polygons.csv")
HORIZONS = "horizons.csv"
_MASKS = ("mask", "salt")
_LEAST_LINES = 8
_FEET = {"ft": 1.0, "m": 1 / 0.3048}


@contextmanager
def open_sources(folder: Path, settings: Own) -> Iterator[list[Source]]:
    """Yield a source for each section of a survey's folder while the survey is open.

    Raises InputError where survey or labels are missing or contradict each other.
    """
    survey_path, labels_path = find_survey(folder)
    options = SurveyOptions.of(settings.survey.model_dump())
    with open_survey(survey_path, options) as survey:
        axis = settings.axis if not survey.grid.line else survey.grid.axes[0]
        labels = _open_labels(labels_path, survey, options, axis)
        said = set(labels.lines())
        wanted = _wanted_lines(survey, labels, said, axis, settings)
        lines = _in_blocks(survey, wanted, axis, settings)
        unlabelled = _unlabelled_lines(survey, set(wanted), axis, settings)
        yield [
            *(
                _source(survey, axis, line, group, partial(_label, labels, said))
                for line, group in lines.items()
            ),
            *(_source(survey, axis, line, line, None) for line in unlabelled),
        ]


def find_survey(folder: Path) -> tuple[Path, Path]:
    """Return the files of a folder's survey and of its labels. Raises InputError."""
    found = sorted(path for path in folder.iterdir() if not is_litter(Path(path.name)))
    masks = [path for path in found if _is_mask(path)]
    surveys = [path for path in found if path.suffix.lower() in VOLUMES and path not in masks]
    labels = [*masks, *(path for path in found if path.name in (*POLYGONS, HORIZONS))]
    if len(surveys) != 1:
        has = f"{len(surveys)} surveys ({first_few([path.name for path in surveys])})"
        raise InputError(
            f"{folder}: holds {has if surveys else 'no images and no survey'}; put in images/ with"
            " masks/, or one SEG-Y file or zarr store with its labels"
        )
    if len(labels) != 1:
        has = f"{len(labels)} labels ({first_few([path.name for path in labels])})"
        raise InputError(
            f"{folder}: holds {has if labels else 'no labels'} for {surveys[0].name}; give one of"
            f" mask.sgy, mask.zarr, mask.npy, {', '.join(POLYGONS)}, {HORIZONS}"
        )
    return surveys[0], labels[0]


def _is_mask(path: Path) -> bool:
    name = path.stem.lower()
    named = name in _MASKS or name.endswith(tuple(f"_{mask}" for mask in _MASKS))
    return named and path.suffix.lower() in (*VOLUMES, ".npy")


def _open_labels(path: Path, survey: Survey, options: SurveyOptions, axis: str) -> Labels:
    if path.name in POLYGONS:
        return Polygons(path, axis)
    if path.name == HORIZONS:
        return Horizons(path, axis)
    return open_mask_volume(path, survey, options, axis)


def _wanted_lines(
    survey: Survey, labels: Labels, said: set[int], axis: str, settings: Own
) -> list[int]:
    """Return the interpreted lines. said: those that have labels. Raises InputError."""
    numbers = survey.grid.numbers(axis)
    wanted = sorted(set(settings.lines) or said)
    unknown = sorted(set(wanted) - set(numbers.tolist()))
    if unknown:
        raise InputError(
            f"{labels.path}: {axis} {first_few(unknown)} {'is' if len(unknown) == 1 else 'are'} not"
            f" in {survey.path.name}, whose {axis}s run from {numbers[0]:,} to {numbers[-1]:,};"
            " correct the labels, or ingest.own.lines and ingest.own.axis"
        )
    silent = sorted(set(wanted) - said)
    if silent and isinstance(labels, MaskVolume):
        raise InputError(
            f"{labels.path}: has no {axis} {first_few(silent)}, which ingest.own.lines names; take"
            " it out there"
        )
    return wanted


def _in_blocks(survey: Survey, lines: list[int], axis: str, settings: Own) -> dict[int, int]:
    """Return the first line of the block of each line, but for those in gaps."""
    numbers = survey.grid.numbers(axis)
    place = {int(number): at for at, number in enumerate(numbers)}
    blocks = line_blocks([place[line] for line in lines], settings.block, settings.gap)
    return {int(numbers[at]): int(numbers[first]) for at, first in blocks.items()}


def _unlabelled_lines(survey: Survey, labelled: set[int], axis: str, settings: Own) -> list[int]:
    """Return other lines, evenly over the survey: enough for the crops that are wanted."""
    others = [line for line in survey.grid.numbers(axis).tolist() if line not in labelled]
    sizes = (len(survey.grid.across(axis)), survey.sampling.count)
    crops = int(np.prod([len(crop_starts(0, size, settings.overlap)) for size in sizes]))
    if not others or not crops or not settings.most_test:
        return []
    count = min(len(others), max(_LEAST_LINES, 2 * -(-settings.most_test // crops)))
    return [others[at] for at in np.linspace(0, len(others) - 1, count).round().astype(int)]


def _source(survey: Survey, axis: str, line: int, group: int, label: Labeller | None) -> Source:
    step = _feet(survey.sampling)
    return Source(
        name=f"{axis}_{line}",
        group=f"{axis}_{group}",
        labelled=label is not None,
        first_depth=None if step is None else survey.sampling.first * step,
        depth_step=0.0 if step is None else survey.sampling.interval * step,
        read=partial(_read, survey, axis, line, label),
    )


def _feet(sampling: Sampling) -> float | None:
    return _FEET[sampling.unit] if sampling.domain is Domain.DEPTH else None


def _read(survey: Survey, axis: str, line: int, label: Labeller | None) -> OwnSection:
    section = survey.section(axis, line)
    pixels, live = section.amplitude.T.copy(), section.live.T.copy()
    return OwnSection(pixels, live, label(section, survey.sampling) if label else None)


def _label(labels: Labels, said: set[int], section: Section, sampling: Sampling) -> Label:
    """Return what is said of a section; one that `lines` names alone was looked at, without salt.

    said: the lines that have labels.
    """
    if section.number in said:
        return labels.label(section.number, section.numbers, sampling)
    shape = section.amplitude.T.shape
    return Label(np.zeros(shape, bool), np.ones(shape, bool))
