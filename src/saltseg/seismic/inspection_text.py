"""What inspection found, as a page of text."""

import math
from collections.abc import Iterator
from typing import Any

from saltseg.seismic.inspection import Facts


def describe(facts: Facts) -> str:
    """Return what `inspect` found, in lines for a person."""
    parts = [_head(facts), _geometry(facts), _candidates(facts), _amplitudes(facts), _crops(facts)]
    parts.append(_listed("notes", facts["notes"]))
    return "\n".join(line for part in parts for line in part)


def _row(name: str, text: str) -> str:
    return f"{name:<14}{text}"


def _head(facts: Facts) -> Iterator[str]:
    for line in facts.get("textual_header", []):
        if line.strip().removeprefix("C").strip(" 0123456789"):
            yield line
    yield _row("file", facts["file"])
    if "sample_format" not in facts:
        return
    sample = facts["sample_format"]
    seen = {None: "", sample["number"]: ", borne out by the amplitudes"}
    doubt = seen.get(sample["by_amplitudes"], ", NOT borne out by the amplitudes")
    yield _row("format", f"{sample['number']} ({sample['name']}){doubt}")
    yield _row("", f"revision {facts['revision']}, {facts['byte_order']}-endian")


def _geometry(facts: Facts) -> Iterator[str]:
    grid, samples = facts["grid"], facts["samples"]
    yield _row("kind", "2D line" if facts["kind"] == "2d" else "3D survey")
    for name, byte in (("inline", "inline"), ("crossline", "crossline"), ("number", "crossline")):
        if name in grid:
            at = facts.get("bytes", {}).get(byte)
            yield _row(name + "s", _range(grid[name]) + (f", byte {at}" if at else ""))
    without = f", {grid['without_trace']:,} without" if grid["without_trace"] else ""
    yield _row("traces", f"{grid['traces']:,} at {grid['places']:,} places{without}")
    if facts.get("flagged_dead"):
        yield _row("", f"{facts['flagged_dead']:,} flagged dead (byte 29)")
    yield _row(
        "samples",
        f"{samples['count']:,}, {samples['first']:g} to {samples['last']:g} in steps of"
        f" {samples['interval']:g} {samples['unit']}",
    )
    yield _row("domain", samples["domain"] or "not known")
    yield _row("polarity", f"{facts['polarity']}, as told: no file says it")
    yield from _coordinates(facts["coordinates"])


def _range(numbers: dict[str, Any]) -> str:
    step = f" in steps of {numbers['step']}" if numbers["step"] else ""
    return f"{numbers['count']:,}, {numbers['first']:,} to {numbers['last']:,}{step}"


def _coordinates(found: dict[str, Any] | None) -> Iterator[str]:
    if found is None:
        yield _row("coordinates", "none")
        return
    at = f", bytes {found['bytes'][0]} and {found['bytes'][1]}" if found.get("bytes") else ""
    scalar = f", scalar {found['scalar']}" if "scalar" in found else ""
    yield _row("coordinates", f"x {_span(found['x'])}, y {_span(found['y'])}{at}{scalar}")
    if "spacing" in found:
        spacing = found["spacing"]
        yield _row(
            "",
            f"inlines {spacing['inline']:.4g} apart, crosslines {spacing['crossline']:.4g}; inlines"
            f" run at an azimuth of {_azimuth(found['rotation']):.1f} degrees",
        )


def _azimuth(rotation: float) -> float:
    """Return radians clockwise from north as degrees from 0 up to 359.9, in tenths."""
    return round(math.degrees(rotation), 1) % 360


def _span(values: list[float]) -> str:
    return f"{values[0]:,.10g} to {values[1]:,.10g}"


def _candidates(facts: Facts) -> Iterator[str]:
    for number, field in enumerate(facts.get("candidates", [])):
        name = f" ({field['name']})" if field["name"] else ""
        yield _row(
            "" if number else "header bytes",
            f"{field['byte']}{name}: {field['least']:,} to {field['most']:,},"
            f" {field['distinct']:,} values",
        )


def _amplitudes(facts: Facts) -> Iterator[str]:
    found = facts["amplitudes"]
    if found is None:
        return
    percentiles = (f"{key}: {value:.4g}" for key, value in found["percentiles"].items())
    yield _row("amplitudes", f"{found['looked_at']:,} traces looked at, {found['dead']:,} dead")
    yield _row("", f"no data {found['no_data']:.1%}, zero {found['zero']:.1%} of their samples")
    yield _row("", f"least {found['least']:.5g}, most {found['most']:.5g}")
    yield _row("percentiles", "  ".join(percentiles))
    rms = ("-" if value is None else f"{value:.3g}" for value in found["rms"])
    yield _row("rms", "  ".join(rms) + "  (each tenth of the samples)")


def _crops(facts: Facts) -> Iterator[str]:
    survey, crops = facts["windows"], facts["crops"]
    if survey is None:
        return
    yield _row("", f"{'survey':<26}{'crops':<26}{crops['source']}")
    rows = (
        ("wavelength", "samples"),
        ("width", "traces"),
        ("dip", "samples a trace"),
        ("skewness", ""),
        ("kurtosis", "3 is normal"),
    )
    for name, unit in rows:
        yield _row(name, f"{_figure(survey[name])}{_figure(crops[name])}{unit}".rstrip())
    yield from _listed("unlike", facts["unlike"] or ["nothing: the survey is like the crops"])


def _figure(value: float | list[float | None] | None) -> str:
    """Return a figure, or a median and between what most windows lie, in 26 columns."""
    if isinstance(value, list):
        low, middle, high = value
        if low is not None and middle is not None and high is not None:
            return f"{f'{middle:.2f} ({low:.2f} to {high:.2f})':<26}"
        value = None
    return f"{'-' if value is None else f'{value:.2f}':<26}"


def _listed(name: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield _row("" if number else name, line)
