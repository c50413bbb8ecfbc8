"""A folder of images, or of 2D lines in SEG-Y, with masks of the same names.

| | |
|---|---|
| images/NAME.png, masks/NAME.png | pairs in two folders, or |
| NAME.png, NAME_mask.png | pairs side by side |
| unlabelled/NAME.png | images without a mask: the test crops |
| depths.csv | `id,z`: depth in feet of images by NAME; may be left out |

Endings: .png, .tif, .tiff, .npy, .sgy, .segy; those of an image and its mask may differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from saltseg.config.model_definitions import CROP
from saltseg.crops.tgs.folder import RawFile
from saltseg.crops.tgs.offenders import refuse_any
from saltseg.crops.tgs.tables import read_depths
from saltseg.own.labels import label_of
from saltseg.own.section import Mask, OwnSection, Source
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.litter import is_litter
from saltseg.scoring import ids
from saltseg.seismic.grid import LINE
from saltseg.seismic.image_headers import FORMATS
from saltseg.seismic.images import Pixels, read_image, read_mask
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions

IMAGES, MASKS, UNLABELLED, DEPTHS = "images", "masks", "unlabelled", "depths.csv"
SEGY = (".sgy", ".segy")
_SUFFIX = "_mask"

Files = Mapping[str, Path]


@dataclass(frozen=True)
class ImageFolder:
    """The files of a folder by name: images with masks, images without, and depths in feet."""

    images: Files
    masks: Files
    unlabelled: Files
    depths: Mapping[str, int]


def is_image_folder(folder: Path) -> bool:
    """Tell whether a folder is laid out as images; anything else is a survey's."""
    if any((folder / name).is_dir() for name in (IMAGES, MASKS, UNLABELLED)):
        return True
    endings = {path.suffix.lower() for path in _files(folder)}
    return not endings.isdisjoint(FORMATS) and endings.isdisjoint(SEGY)


def find_images(folder: Path) -> ImageFolder:
    """Find images and masks. Raises InputError where one lacks the other, or a name recurs."""
    apart = (folder / IMAGES).is_dir() or (folder / MASKS).is_dir()
    if apart:
        images, masks = (_by_name(folder / name) for name in (IMAGES, MASKS))
    else:
        beside = _by_name(folder)
        masks = {
            name.removesuffix(_SUFFIX): path
            for name, path in beside.items()
            if name.endswith(_SUFFIX)
        }
        images = {name: path for name, path in beside.items() if not name.endswith(_SUFFIX)}
    unlabelled = _by_name(folder / UNLABELLED)
    _check_pairs(folder, images, masks, f"{MASKS}/NAME.png" if apart else f"NAME{_SUFFIX}.png")
    twice = sorted(images.keys() & unlabelled.keys())
    advice = "keep one of the two, or rename one"
    refuse_any(folder, f"image that is in {UNLABELLED} too", twice, len(images), advice)
    return ImageFolder(images, masks, unlabelled, _depths(folder, [*images, *unlabelled]))


def image_sources(found: ImageFolder, options: SurveyOptions) -> list[Source]:
    """Return a source for each image, each a mosaic of its own. options: of SEG-Y files."""
    return [
        Source(
            name=name,
            group=name,
            labelled=name in found.masks,
            first_depth=found.depths.get(name),
            depth_step=0.0,
            read=partial(_read, path, found.masks.get(name), options),
        )
        for name, path in (*found.images.items(), *found.unlabelled.items())
    ]


def _read(path: Path, mask: Path | None, options: SurveyOptions) -> OwnSection:
    pixels, live = _read_pixels(path, options)
    if min(pixels.shape) < CROP:
        raise InputError(f"{path}: has {_size(pixels)}; give images of {CROP} x {CROP} px and more")
    if mask is None:
        return OwnSection(pixels, live, None)
    marks = _read_marks(mask, options)
    if marks.shape != pixels.shape:
        raise InputError(
            f"{mask}: has {_size(marks)}, and {path.name} has {_size(pixels)}; give a mask of its"
            " image's size"
        )
    return OwnSection(pixels, live, label_of(marks, [], str(mask)))


def _read_pixels(path: Path, options: SurveyOptions) -> tuple[Pixels, Mask]:
    if path.suffix.lower() not in SEGY:
        pixels = read_image(path)
        return pixels, np.ones(pixels.shape, bool)
    with open_survey(path, options) as survey:
        if not survey.grid.line:
            raise InputError(
                f"{path}: is a 3D survey, not a line; put it alone into the folder with its labels"
            )
        section = survey.section(LINE, int(survey.grid.inlines[0]))
        return section.amplitude.T.copy(), section.live.T.copy()


def _read_marks(path: Path, options: SurveyOptions) -> Pixels:
    if path.suffix.lower() not in SEGY:
        return read_mask(path)
    with open_survey(path, options) as survey:
        raw, _ = survey.raw_along(survey.grid.axes[0], int(survey.grid.inlines[0]))
        return raw.T.copy()


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[0]:,} rows and {pixels.shape[1]:,} columns"


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(
            path for path in folder.iterdir() if path.is_file() and not is_litter(Path(path.name))
        )


def _by_name(folder: Path) -> dict[str, Path]:
    """Return the images of a folder by name. Raises InputError for names that cannot be ids."""
    found = [path for path in _files(folder) if path.name != DEPTHS]
    strange = [path.name for path in found if path.suffix.lower() not in (*FORMATS, *SEGY)]
    endings = ", ".join((*FORMATS, *SEGY))
    refuse_any(folder, "file that is no image", strange, len(found), f"leave {endings} there")
    ids.require(folder, sorted({path.stem for path in found}))
    by_name = {path.stem: path for path in found}
    if len(by_name) < len(found):
        twice = [path.name for path in found if by_name[path.stem] != path]
        raise InputError(
            f"{folder}: {first_few(twice)} and another file have one name; rename or remove one"
        )
    return by_name


def _check_pairs(folder: Path, images: Files, masks: Files, where: str) -> None:
    """Raise InputError unless images and masks are there, and each has its partner."""
    if not images and not masks:
        raise InputError(
            f"{folder}: holds no labelled image; put images into {IMAGES}/ and masks of the same"
            f" names into {MASKS}/"
        )
    lacking = sorted(images.keys() - masks.keys())
    advice = f"add {where}, or move the image to {UNLABELLED}/"
    refuse_any(folder, "image without a mask", lacking, len(images), advice)
    alone = sorted(masks.keys() - images.keys())
    refuse_any(folder, "mask without an image", alone, len(masks), "add the image, or remove it")


def _depths(folder: Path, names: list[str]) -> dict[str, int]:
    path = folder / DEPTHS
    if not path.exists():
        return {}
    depths = read_depths(RawFile(path, PurePosixPath(DEPTHS), path.read_bytes))
    unknown = sorted(set(depths.index) - set(names))
    refuse_any(path, "id without an image", unknown, len(depths), "use the images' names")
    return {str(name): int(depth) for name, depth in depths.items()}
