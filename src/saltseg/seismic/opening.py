"""Opening a survey, whatever file it is in."""

from pathlib import Path

from saltseg.plumbing.errors import InputError
from saltseg.seismic.array_file import open_array
from saltseg.seismic.bucket import BucketPath
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.segy import check_segy, open_segy
from saltseg.seismic.store import open_store
from saltseg.seismic.survey import Survey


def open_survey(path: Path, options: SurveyOptions, folder: Path | None = None) -> Survey:
    """Open a zarr store (a folder), an .npy, or a SEG-Y file (any other name).

    folder: where the trace headers of a SEG-Y file are kept, to be read once. Raises InputError
    for a file that is none of these, or that lacks what no option tells.
    """
    if path.is_dir():
        return open_store(path, options)
    _check_local(path)
    if path.suffix.lower() == ".npy":
        return open_array(path, options)
    return open_segy(path, options, folder)


def check_survey(path: Path, options: SurveyOptions) -> None:
    """Raise InputError for a file that is no survey, by what its first bytes tell.

    It costs little, however large the file is: ask it before a model is fetched.
    """
    if path.is_dir():
        open_store(path, options)
        return
    _check_local(path)
    if path.suffix.lower() == ".npy":
        open_array(path, options)
    else:
        check_segy(path, options)


def _check_local(path: Path) -> None:
    if isinstance(path, BucketPath):
        raise InputError(
            f"{path}: is no zarr store, and only these are read from a bucket; copy the file here"
            " with 'aws s3 cp' or the like, and name the copy"
        )
