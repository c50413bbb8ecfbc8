"""Opening a survey, whatever file it is in."""

import math
from pathlib import Path

from saltseg.plumbing.errors import InputError
from saltseg.seismic.array_file import open_array
from saltseg.seismic.bucket import BucketPath
from saltseg.seismic.options import Domain, SurveyOptions, option_of
from saltseg.seismic.segy import check_segy, open_segy
from saltseg.seismic.store import open_store
from saltseg.seismic.survey import Survey

_OF_SEGY = (
    *("inline_byte", "crossline_byte", "cdp_byte", "x_byte", "y_byte"),
    *("sample_format", "byte_order", "whole_traces"),
)
"""Options that correct the headers of a SEG-Y file; no other file has them."""


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


def check_options(path: Path, options: SurveyOptions) -> None:
    """Raise InputError for an option that certainly has no effect on a survey's file."""
    is_store = path.is_dir()
    is_array = path.suffix.lower() == ".npy" and not is_store
    if options.axes is not None and not is_array:
        raise InputError(f"--axes: names those of an .npy, and {path} is none; leave it out")
    for name in _OF_SEGY:
        if (is_array or is_store) and getattr(options, name) not in (None, False):
            raise InputError(f"{option_of(name)}: is for SEG-Y, and {path} is none; leave it out")
    if options.unit is not None and options.domain is not Domain.DEPTH:
        raise InputError(
            f"--unit: {options.unit} is a unit of depth; give --domain depth too, or leave it out"
        )
    if options.null is not None and not math.isfinite(options.null):
        raise InputError(f"--null: {options.null} is taken as no data already; leave it out")


def check_survey(path: Path, options: SurveyOptions) -> None:
    """Raise InputError for a file that is no survey by its first bytes, or an idle option.

    It costs little, however large the file is: ask it before a model is fetched.
    """
    check_options(path, options)
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
