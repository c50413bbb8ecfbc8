"""Reading the competition's raw folder into a set of crops, joined by id and checked."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.model_definitions import CROP
from saltseg.crops.crop_set import NO_DEPTH, CropSet, crop_table
from saltseg.crops.tgs.decoding import decode_image, decode_mask, read_pngs
from saltseg.crops.tgs.folder import PICTURES, TABLES, RawFile, find, open_folder, require_all
from saltseg.crops.tgs.offenders import refuse_any, repeated
from saltseg.crops.tgs.tables import read_codes, read_depths
from saltseg.scoring import ids
from saltseg.scoring.rle import CodeError, decode

Files = dict[str, RawFile]
"""The PNGs of one role, by crop id, sorted."""


@dataclass(frozen=True)
class FileCounts:
    """Harmless peculiarities of the files."""

    masks_16_bit: int = 0
    """Mask files of 16 bits; Kaggle's are those with salt."""
    masks_8_bit: int = 0
    """Mask files of 8 bits or fewer; Kaggle's are the empty ones."""
    depths_without_crop: int = 0
    """Rows of depths.csv without a crop."""
    test_crops_without_depth: int = 0
    """Test crops missing from depths.csv; only networks that read depths need them."""


@dataclass(frozen=True)
class _RawFolder:
    """All raw data except the pixels."""

    folder: Path
    table_paths: dict[str, Path]
    codes: "pd.Series[str]"
    depths: "pd.Series[int]"
    sample: "pd.Series[str]"
    train_images: Files
    train_masks: Files
    test_images: Files


def read_raw(folder: Path, workers: int) -> tuple[CropSet, FileCounts]:
    """Read Kaggle's files from `folder`, zipped or unpacked, decoding in `workers` threads.

    workers: 0 means one thread.
    Raises InputError, which counts and names the first offenders, for anything missing, damaged,
    duplicate or contradictory.
    """
    raw = _open(folder)
    _check_ids(raw)
    masks, mask_bits = _read_masks(raw.train_masks, workers)
    _check_codes(raw, masks)
    crops = CropSet(
        table=crop_table(
            _with_depths(raw.train_images, raw.depths),
            _with_depths(raw.test_images, raw.depths),
            raw.sample.index.tolist(),
        ),
        train_images=_read_images(raw.train_images, workers, "train images"),
        train_masks=masks,
        test_images=_read_images(raw.test_images, workers, "test images"),
    )
    counts = FileCounts(
        masks_16_bit=mask_bits.count(16),
        masks_8_bit=mask_bits.count(8),
        depths_without_crop=len(set(raw.depths.index) - set(crops.table["id"])),
        test_crops_without_depth=int((crops.test["depth"] == NO_DEPTH).sum()),
    )
    return crops, counts


def _open(folder: Path) -> _RawFolder:
    """Find all files, and read the tables."""
    levels = open_folder(folder)
    found = find(levels, TABLES)
    for role, files in found.items():
        places = [str(file.path) for file in files]
        refuse_any(folder, f"{role} in several places", places[1:], len(places), "keep one")
    sample_file = found.get("sample_submission.csv")
    sample = read_codes(sample_file[0]) if sample_file else pd.Series(dtype=str)
    found |= find(levels, PICTURES, frozenset(sample.index))
    require_all(folder, found)
    return _RawFolder(
        folder,
        {role: found[role][0].path for role in TABLES},
        read_codes(found["train.csv"][0]),
        read_depths(found["depths.csv"][0]),
        sample,
        *(_by_id(found[role]) for role in PICTURES),
    )


def _by_id(files: list[RawFile]) -> Files:
    """Sort files by id. Raises InputError where an id occurs twice."""
    again = repeated(file.id for file in files)
    place = files[0].path.parent
    ids.require(place, [file.id for file in files])
    refuse_any(place, "id that occurs twice", again, len(files), "keep one file of each")
    return {file.id: file for file in sorted(files, key=lambda file: file.id)}


def _check_ids(raw: _RawFolder) -> None:
    """Raise InputError unless every crop is complete and nothing is left over."""
    train_csv, depths_csv, sample_csv = (raw.table_paths[role] for role in TABLES)
    images, masks, tests = set(raw.train_images), set(raw.train_masks), set(raw.test_images)
    codes, depths, sample = set(raw.codes.index), set(raw.depths.index), set(raw.sample.index)
    images_at, masks_at = _place(raw.train_images), _place(raw.train_masks)
    ids.require(raw.folder, sorted(images | tests))
    advice = "a crop is in train or in test: take it out of one"
    for place, problem, given, others in (
        (sample_csv, "test crop that train.csv lists too", sample, codes),
        (_place(raw.test_images), "test crop that is among the train crops too", tests, images),
    ):
        refuse_any(place, problem, sorted(given & others), len(given), advice)
    advice = "restore what is missing, or take the id out of every file"
    for place, problem, given, others in (
        (images_at, "train crop without a mask", images, masks),
        (masks_at, "mask without a train crop", masks, images),
        (train_csv, "train crop without a row", images, codes),
        (train_csv, "row without a train crop", codes, images),
        (sample_csv, "test crop without a row", tests, sample),
        (sample_csv, "row without a test crop", sample, tests),
        (depths_csv, "train crop without a depth", images, depths),
    ):
        refuse_any(place, problem, sorted(given - others), len(given), advice)


def _check_codes(raw: _RawFolder, masks: npt.NDArray[np.bool_]) -> None:
    """Raise InputError unless train.csv's run-length codes say what the masks show."""
    path, names = raw.table_paths["train.csv"], list(raw.train_masks)
    codes = raw.codes.loc[names].tolist()
    try:
        decoded = decode(codes, (CROP, CROP))
    except CodeError as error:
        wrong = [f"{names[at]} ({fault})" for at, fault in error.faults.items()]
        refuse_any(path, "rle_mask that does not decode", wrong, len(names), "download it again")
        raise
    pixels = np.count_nonzero(decoded != masks, axis=(1, 2))
    differing = [f"{names[at]} ({pixels[at]:,} pixels)" for at in np.flatnonzero(pixels)]
    problem = f"rle_mask that differs from the mask in {_place(raw.train_masks)}"
    refuse_any(path, problem, differing, len(names), "download both again: one of them is wrong")


def _read_masks(files: Files, workers: int) -> tuple[npt.NDArray[np.bool_], list[int]]:
    """Return the masks, True where a pixel is not 0, and how many bits each file has."""
    masks = np.empty((len(files), CROP, CROP), dtype=bool)
    bits = []
    decoded = read_pngs(list(files.values()), decode_mask, workers, "train masks")
    for row, mask in enumerate(decoded):
        np.not_equal(mask, 0, out=masks[row])
        bits.append(8 * mask.itemsize)
    return masks, bits


def _read_images(files: Files, workers: int, description: str) -> npt.NDArray[np.uint8]:
    images = np.empty((len(files), CROP, CROP), dtype=np.uint8)
    decoded = read_pngs(list(files.values()), decode_image, workers, description)
    for row, image in enumerate(decoded):
        images[row] = image
    return images


def _with_depths(files: Files, depths: "pd.Series[int]") -> pd.DataFrame:
    names = list(files)
    found = depths.reindex(names, fill_value=NO_DEPTH)
    return pd.DataFrame({"id": names, "depth": found.to_numpy("int64")})


def _place(files: Files) -> Path:
    """Return the folder or zip that the first of the files lies in."""
    return next(iter(files.values())).path.parent
