"""What a survey's file holds, and whether it can be what the file says: `saltseg inspect`."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.seismic.amplitudes import (
    PERCENTILES,
    amplitude_statistics,
    offset_notes,
    sampled_traces,
)
from saltseg.seismic.columns import Integers
from saltseg.seismic.coordinates import fit_frame
from saltseg.seismic.grid import Grid
from saltseg.seismic.learned_crops import LearnedCrops, as_json
from saltseg.seismic.likeness import compare, sample_scale
from saltseg.seismic.sample_formats import FORMATS, IBM, IEEE, float_format_of, order_code
from saltseg.seismic.segy import SegySurvey
from saltseg.seismic.survey import Survey
from saltseg.seismic.text_header import decode_text, hints_of_domain
from saltseg.seismic.trace_table import FIELDS
from saltseg.seismic.windows import describe_windows, survey_windows

Facts = dict[str, Any]


def inspect(survey: Survey, crops: LearnedCrops) -> Facts:
    """Return all that is known of a survey as JSON values; lengths in the file's own units."""
    facts: Facts = {"file": str(survey.path)}
    notes = list(survey.notes)
    if isinstance(survey, SegySurvey):
        facts |= _segy(survey, notes)
    facts |= {
        "kind": survey.kind,
        "grid": _grid(survey.grid),
        "samples": asdict(survey.sampling) | {"last": survey.sampling.last()},
        "coordinates": _coordinates(survey, notes),
        "polarity": survey.options.polarity.value,
    }
    _note_domain(survey, facts, notes)
    return facts | _amplitudes(survey, crops, notes) | {"notes": notes}


def _segy(survey: SegySurvey, notes: list[str]) -> Facts:
    header = survey.layout.header
    number = header.sample_format.number
    seen = _seen_format(survey)
    if seen not in (None, number):
        notes.insert(
            0,
            f"sample format: {_name(number)} by byte 3225 or --format, but the amplitudes look like"
            f" {_name(seen)}: try --format {seen}",
        )
    return {
        "textual_header": decode_text(header.text),
        "revision": header.revision,
        "byte_order": header.order.value,
        "sample_format": {
            "number": number,
            "name": header.sample_format.name,
            "in_file": header.stated_format,
            "by_amplitudes": seen,
        },
        "flagged_dead": int(survey.flagged_dead.sum()),
        "bytes": {
            "inline": survey.geometry.inline_byte,
            "crossline": survey.geometry.crossline_byte,
        },
        "candidates": _candidates(survey),
    }


def _name(number: int | None) -> str:
    return "none" if number is None else f"{number} ({FORMATS[number].name})"


def _seen_format(survey: SegySurvey) -> int | None:
    """Return the float format that raw samples of some traces are in; None if it cannot be told."""
    layout = survey.layout
    if layout.header.sample_format.number not in (IBM, IEEE):
        return None
    starts = [layout.offset(trace) + layout.header_bytes for trace in sampled_traces(survey)[:256]]
    words = survey.file.read_rows(starts, layout.sample_bytes)
    words = words.view(order_code(layout.header.order) + "u4")
    return float_format_of(words.astype(np.uint32).ravel())


def _candidates(survey: SegySurvey) -> list[Facts]:
    """Return the fields of trace headers that change, with their ranges."""
    found = []
    for byte, name in FIELDS.items():
        values = survey.table.values(byte)
        least, most = int(values.min()), int(values.max())
        if least != most:
            distinct = len(np.unique(values))
            found.append(
                {"byte": byte, "name": name, "least": least, "most": most, "distinct": distinct}
            )
    return found


def _grid(grid: Grid) -> Facts:
    sides = {axis: _numbers(grid.numbers(axis)) for axis in grid.axes}
    if grid.line:
        sides = {"line": {"number": int(grid.inlines[0])}, "number": _numbers(grid.crosslines)}
    return sides | {
        "places": grid.places,
        "traces": grid.count,
        "without_trace": grid.places - grid.count,
    }


def _numbers(numbers: Integers) -> Facts:
    steps = np.unique(np.diff(numbers))
    return {
        "first": int(numbers[0]),
        "last": int(numbers[-1]),
        "count": len(numbers),
        "step": int(steps[0]) if len(steps) == 1 else None,
    }


def _coordinates(survey: Survey, notes: list[str]) -> Facts | None:
    if survey.x is None or survey.y is None:
        return None
    facts: Facts = {}
    if isinstance(survey, SegySurvey) and survey.coordinates is not None:
        facts = {"bytes": survey.coordinates.bytes, "scalar": survey.coordinates.scalar}
    for name, values in (("x", survey.x), ("y", survey.y)):
        facts[name] = [float(np.nanmin(values)), float(np.nanmax(values))]
    frame = fit_frame(survey.grid, survey.x, survey.y)
    if frame is not None:
        spacings = {
            "inline": float(np.hypot(*frame.inline_step)),
            "crossline": float(np.hypot(*frame.crossline_step)),
        }
        facts |= {"spacing": spacings, "rotation": frame.rotation, "residual": frame.residual}
        if frame.residual > max(*spacings.values()) / 2:
            notes.append(
                f"coordinates: traces lie up to {frame.residual:,.1f} off a regular grid: are the"
                " bytes of x, y, inline and crossline right?"
            )
    return facts


def _note_domain(survey: Survey, facts: Facts, notes: list[str]) -> None:
    if survey.sampling.domain is not None:
        return
    hints = hints_of_domain(facts.get("textual_header", []))
    named = {domain for _, domain in hints}
    hint = "the file does not tell it"
    if len(named) == 1:
        line, domain = hints[0]
        hint = f"the textual header names {domain} in line {line}"
    notes.append(f"domain: time or depth? {hint}; say --domain time or --domain depth")


def _amplitudes(survey: Survey, crops: LearnedCrops, notes: list[str]) -> Facts:
    """Return statistics of amplitudes and of windows, beside those of the crops."""
    empty: Facts = {"amplitudes": None, "windows": None}
    facts = empty | {"crops": {"source": crops.source} | as_json(crops.statistics), "unlike": []}
    try:
        statistics = amplitude_statistics(survey)
    except InputError as error:
        notes.append(str(error).removeprefix(f"{survey.path}: "))
        return facts
    notes += offset_notes(survey, statistics)
    named = {
        f"{key:g}": value for key, value in zip(PERCENTILES, statistics.percentiles, strict=True)
    }
    facts["amplitudes"] = asdict(statistics) | {"percentiles": named, "rms": list(statistics.rms)}
    windows = describe_windows(survey_windows(survey))
    if windows is None:
        notes.append("comparison: not made, because no window of the survey is mostly data")
        return facts
    facts["windows"] = as_json(windows)
    scale = sample_scale(windows, crops.statistics)
    facts["sample_scale"] = float(f"{scale:.4g}") if math.isfinite(scale) else None
    return facts | {"unlike": compare(windows, crops.statistics)}
