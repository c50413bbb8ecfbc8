"""SEG-Y written with the input's headers: byte for byte, in every format and order."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import segyio

from saltseg.plumbing.errors import InputError
from saltseg.seismic.bricks import Brick
from saltseg.seismic.options import ByteOrder, SurveyOptions
from saltseg.seismic.sample_encoding import encode, integer_scale
from saltseg.seismic.sample_formats import FORMATS, IBM, decode
from saltseg.seismic.segy import SegySurvey, open_segy
from saltseg.seismic.segy_output import Values, compare, segy_contents, write_segy
from saltseg.seismic.store import StoredSurvey
from tests.helpers.small_surveys import blobs
from tests.seismic.conftest import CROSSLINES, INLINES, Opener, small
from tests.seismic.predictions import predict
from tests.seismic.segy_writer import Segy, grid_headers, ieee2ibm, text_header, volume

SAMPLES = 40
TEXT = bytes(range(256)) * 13
"""No text at all: damaged headers are copied too."""


def readers(store: StoredSurvey) -> dict[str, Callable[[Brick], Values]]:
    def read(name: str) -> Callable[[Brick], Values]:
        return lambda brick: np.nan_to_num(store.block(name, *brick.slices).astype(np.float32))

    return {"probability": read("probability"), "mask": read("mask")}


def written(survey: SegySurvey, store: StoredSurvey, folder: Path) -> dict[str, bytes]:
    contents = segy_contents(survey, folder, **readers(store))
    write_segy(survey, store, contents)
    assert not list(folder.glob(".*"))
    return {content.path.stem: content.path.read_bytes() for content in contents}


def stored(survey: SegySurvey, folder: Path) -> StoredSurvey:
    shape = (*survey.grid.traces.shape, survey.sampling.count)
    return predict(folder / "a.zarr", survey, blobs(shape))


def sorted_otherwise() -> Segy:
    """Return a survey by crossline, inlines downwards, with a gap and a place that is twice there.

    Traces begin at different times.
    """
    headers = grid_headers(INLINES, CROSSLINES)
    for number, header in enumerate(headers):
        header[109] = 100 + 4 * (number % 3)
    order = np.argsort([(h[193], -h[189]) for h in headers], axis=0)[:, 0].tolist()
    order = [each for each in order if each not in (7, 8)]
    order.append(order[3])
    samples = volume().reshape(-1, SAMPLES)[order]
    return small(samples=samples, headers=[headers[each] for each in order])


def padded() -> Segy:
    """Return a survey that begins late, with a dead corner without delay and coordinates."""
    headers = [header | {109: 400} for header in grid_headers(INLINES, CROSSLINES)]
    for number in (0, 1, 5):
        headers[number] |= {29: 2, 71: 0, 109: 0, 181: 0, 185: 0}
    return small(headers=headers)


def line() -> Segy:
    numbers = [{21: number} for number in (5, 3, 3, 9, 1)]
    return Segy(samples=volume().reshape(-1, SAMPLES)[:5], headers=numbers)


CASES: dict[str, Callable[[], Segy]] = {
    "usual": small,
    "damaged text": lambda: small(text=TEXT[:3200]),
    "otherwise": sorted_otherwise,
    "line": line,
    "padded": padded,
    "revision 2": lambda: small(
        revision=2,
        extended=[text_header("FURTHER")],
        further_headers=1,
        trailer=text_header("STANZA"),
        binary={3529: ("i", 1)},
    ),
    **{
        f"format {number}{order}": lambda number=number, order=order: small(  # type: ignore[misc]
            samples=abs(volume().reshape(-1, SAMPLES)), sample_format=number, order=order
        )
        for number in FORMATS
        for order in "><"
    },
}


@pytest.mark.parametrize("case", CASES)
def test_all_but_the_samples_is_the_input(opened: Opener, tmp_path: Path, case: str) -> None:
    survey = opened(CASES[case]())
    layout, header = survey.layout, survey.layout.header
    store = stored(survey, tmp_path)
    files = written(survey, store, tmp_path / "out")
    source = survey.path.read_bytes()
    places = survey.places()
    whole = store.block("probability", slice(None), slice(None))
    for name, content in files.items():
        assert len(content) == len(source)
        assert content[: layout.start] == source[: layout.start]
        scale = 1 if name == "mask" else integer_scale(header.sample_format)
        values = np.nan_to_num(store.block(name, slice(None), slice(None)).astype(np.float64))
        for trace in range(layout.traces):
            start = layout.offset(trace)
            samples = start + layout.header_bytes
            assert content[start:samples] == source[start:samples]
            raw = np.frombuffer(content[samples : start + layout.trace_bytes], np.uint8)[None]
            read = decode(raw, header.sample_format, header.order)[0]
            shift = 0 if survey.shifts is None else survey.shifts[trace]
            row, column = divmod(places[trace], whole.shape[1])
            expected = values[row, column, shift : shift + layout.samples] * scale
            step = 0.5 if header.sample_format.code[0] in "iu" and scale > 1 else 1e-6
            np.testing.assert_allclose(read, expected, atol=step)
        end = layout.offset(layout.traces)
        assert content[end:] == source[end:]
    assert files == written(survey, store, tmp_path / "again")


@pytest.mark.parametrize("sample_format", [1, 2, 3, 5, 8, 10, 11, 16])
def test_other_software_reads_the_same(opened: Opener, tmp_path: Path, sample_format: int) -> None:
    samples = abs(volume().reshape(-1, SAMPLES))
    survey = opened(small(samples=samples, sample_format=sample_format))
    store = stored(survey, tmp_path)
    written(survey, store, tmp_path)
    scale = integer_scale(survey.layout.header.sample_format)
    with segyio.open(tmp_path / "probability.sgy") as file:
        read = segyio.tools.cube(file).astype(np.float64) / scale
    expected = store.block("probability", slice(None), slice(None))
    np.testing.assert_allclose(read, expected, atol=0.5 / scale if scale > 1 else 1e-6)


def test_an_ibm_file_that_was_read_as_ieee_is_written_as_its_header_says(
    opened: Opener, tmp_path: Path
) -> None:
    survey = opened(small(binary={3225: ("h", 1)}), sample_format=5)
    files = written(survey, stored(survey, tmp_path), tmp_path)
    assert files["mask"][:3600] == survey.path.read_bytes()[:3600]
    with segyio.open(tmp_path / "mask.sgy") as file:
        assert set(np.unique(segyio.tools.cube(file))) == {0, 1}


def test_a_header_without_a_format_gets_one(opened: Opener, tmp_path: Path) -> None:
    survey = opened(small(binary={3225: ("h", 0)}), sample_format=5)
    files = written(survey, stored(survey, tmp_path), tmp_path)
    source = survey.path.read_bytes()
    changed = [n for n in range(3600) if files["mask"][n] != source[n]]
    assert changed == [3225]
    assert files["mask"][3225] == 5


def test_ibm_floats_are_those_of_a_slow_twin() -> None:
    draw = np.random.default_rng(5)
    values = np.concatenate([draw.random(500), draw.random(500) * 1e-4, [0, 1, 0.5, 1 / 16]])
    values = values.astype(np.float32)[None]
    words = encode(values, FORMATS[IBM], ByteOrder.BIG, 1).view(">u4")[0]
    assert words.tolist() == [ieee2ibm(float(value)) for value in values[0]]


@pytest.mark.parametrize(
    ("byte", "what"), [(10, "headers"), (3600 + 5, "trace header"), (3600 + 240 + 2, "trace 1")]
)
def test_what_reads_otherwise_is_found(
    opened: Opener, tmp_path: Path, byte: int, what: str
) -> None:
    survey = opened(small())
    store = stored(survey, tmp_path)
    written(survey, store, tmp_path)
    contents = segy_contents(survey, tmp_path, **readers(store))
    with contents[0].path.open("r+b") as file:
        file.seek(byte)
        found = file.read(1)
        file.seek(byte)
        file.write(bytes([found[0] ^ 0x41]))
    with pytest.raises(InputError, match=what):
        compare(survey, store, contents[0].path, contents[0])


def test_the_written_file_opens_as_the_survey_does(opened: Opener, tmp_path: Path) -> None:
    survey = opened(sorted_otherwise())
    written(survey, stored(survey, tmp_path), tmp_path)
    with open_segy(tmp_path / "mask.sgy", SurveyOptions()) as again:
        np.testing.assert_array_equal(again.grid.traces, survey.grid.traces)
        assert again.sampling == survey.sampling
