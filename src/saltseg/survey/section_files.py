"""Whole sections as files, for predictions on more than a crop."""

from pathlib import Path

import pandas as pd

from saltseg.plumbing.files import write_array, write_csv
from saltseg.plumbing.progress import progress
from saltseg.survey.sections import make_section
from saltseg.survey.segy import write_line

CONTENTS = {"amplitude": "AMPLITUDE AS DISPLAYED", "salt": "1 IN SALT, 0 ELSEWHERE"}
"""Description of the samples in the textual header of a SEG-Y file."""


def write_sections(folder: Path, seed: int, count: int, segy: bool, style: str = "default") -> None:
    """Write the first `count` sections of the survey of `seed` as .npy, and as SEG-Y if asked.

    NUMBER_amplitude.npy: float32, as displayed. NUMBER_salt.npy: bool. Both have shape (540, 540):
    rows are feet of depth, columns are traces. NUMBER_amplitude.sgy and NUMBER_salt.sgy hold the
    same, salt as 0 and 1. sections.csv gives each one's `survey` and `top_depth`.
    Raises InputError if a file cannot be written or segyio is missing.
    """
    lines = []
    for number in progress(range(count), "sections", count):
        section = make_section(seed, number, style)
        top = section.setting.top_depth
        spacing = round(section.setting.exaggeration, 2)
        for name, values in (("amplitude", section.amplitude), ("salt", section.salt)):
            path = folder / f"{number:04d}_{name}"
            write_array(path.with_suffix(".npy"), values)
            if segy:
                write_line(path.with_suffix(".sgy"), values, number, top, spacing, CONTENTS[name])
        lines.append((number, section.setting.survey, top))
    table = pd.DataFrame(lines, columns=["section", "survey", "top_depth"])
    write_csv(folder / "sections.csv", table)
