"""Whole sections as files, for predicting on more than a crop."""

from pathlib import Path

import pandas as pd

from saltseg.files import write_array, write_csv
from saltseg.progress import progress
from saltseg.survey.sections import make_section


def write_sections(folder: Path, seed: int, count: int) -> None:
    """Write the first `count` sections of the survey of `seed` as .npy.

    NUMBER_amplitude.npy: float32, as displayed. NUMBER_salt.npy: bool. Both have shape (540, 540):
    rows are feet of depth, columns are traces. sections.csv gives each one's `survey` and
    `top_depth`. Raises InputError where a file cannot be written.
    """
    lines = []
    for number in progress(range(count), "sections", count):
        section = make_section(seed, number)
        write_array(folder / f"{number:04d}_amplitude.npy", section.amplitude)
        write_array(folder / f"{number:04d}_salt.npy", section.salt)
        lines.append((number, section.setting.survey, section.setting.top_depth))
    table = pd.DataFrame(lines, columns=["section", "survey", "top_depth"])
    write_csv(folder / "sections.csv", table)
