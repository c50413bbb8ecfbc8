"""SEG-Y in every format, byte order and revision, against plain loops over its bytes."""

from pathlib import Path

import numpy as np
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.seismic.options import ByteOrder, SurveyOptions
from saltseg.seismic.sample_formats import FORMATS, IBM, IEEE, decode, float_format_of
from saltseg.seismic.segy import open_segy
from saltseg.survey import write_sections
from saltseg.survey.sections import make_section
from tests.seismic.conftest import CROSSLINES, INLINES, Opener, small
from tests.seismic.segy_writer import (
    Segy,
    encode,
    grid_headers,
    ibm2ieee,
    read_slowly,
    text_header,
    volume,
)

VOLUME = volume(len(INLINES), len(CROSSLINES))
FLAT = VOLUME.reshape(-1, 40)


@pytest.mark.parametrize("revision", [0, 1, 2])
@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("number", FORMATS)
def test_sections_are_those_of_plain_loops(
    tmp_path: Path, number: int, order: str, revision: int
) -> None:
    samples = np.abs(FLAT) if number in (10, 11, 12, 16) else FLAT
    samples = samples * 1.7 if number in (1, 5, 6) else samples
    shuffled = np.random.default_rng(1).permutation(30)[:27]
    headers = grid_headers(INLINES, CROSSLINES)
    segy = small(
        samples=samples[shuffled],
        headers=[headers[n] for n in shuffled],
        sample_format=number,
        order=order,
        revision=revision,
    )
    path = segy.write(tmp_path / "survey.sgy")
    traces = read_slowly(path.read_bytes(), number, order, 40)
    with open_segy(path, SurveyOptions()) as one, open_segy(path, SurveyOptions()) as two:
        for inline in INLINES:  # each section twice, from both, in turn with the other axis
            expected = np.zeros((len(CROSSLINES), 40), np.float32)
            for fields, values in traces:
                if fields[189] == inline:
                    expected[CROSSLINES.index(fields[193])] = np.array(values) - one.zero
            first = one.section("inline", inline)
            for crossline in CROSSLINES:
                two.section("crossline", crossline)
            again = two.section("inline", inline)
            np.testing.assert_array_equal(first.amplitude, expected)
            assert first.amplitude.tobytes() == again.amplitude.tobytes()
            assert first.live.tobytes() == again.live.tobytes()
        for crossline in CROSSLINES:
            column = np.stack(
                [one.section("inline", n).amplitude[crossline - 300] for n in INLINES]
            )
            np.testing.assert_array_equal(one.section("crossline", crossline).amplitude, column)


def test_every_exponent_of_ibm_floats() -> None:
    draw = np.random.default_rng(2)
    words = draw.integers(0, 2**32, 5000, dtype=np.uint32)
    expected = np.array([ibm2ieee(int(word)) for word in words])
    with np.errstate(over="ignore"):
        rounded = expected.astype(np.float32)
    raw = words.astype(">u4").view(np.uint8)[None]
    np.testing.assert_array_equal(decode(raw, FORMATS[IBM], ByteOrder.BIG)[0], rounded)
    assert np.isinf(rounded).any() and (rounded == 0).any()


@pytest.mark.parametrize("number", [4, 7, 15])
def test_formats_that_are_refused(opened: Opener, number: int) -> None:
    with pytest.raises(InputError, match=rf"byte 3225: sample format {number} .*convert"):
        opened(small(binary={3225: ("h", number)}))


def test_no_segy_at_all(tmp_path: Path) -> None:
    path = tmp_path / "survey.sgy"
    for content, said in ((b"", "has 0 bytes"), (b"x" * 9000, "no sample format of SEG-Y")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=said):
            open_segy(path, SurveyOptions())
    with pytest.raises(InputError, match="no such file"):
        open_segy(tmp_path / "none.sgy", SurveyOptions())
    path.write_bytes(small().content()[:3600])
    with pytest.raises(InputError, match="without a trace"):
        open_segy(path, SurveyOptions())


@pytest.mark.parametrize("order", [">", "<"])
def test_a_format_that_is_named_overrides_the_files(opened: Opener, order: str) -> None:
    survey = opened(small(order=order, binary={3225: ("h", 0)}), sample_format=5)
    np.testing.assert_array_equal(survey.section("inline", 100).amplitude, VOLUME[0])
    with pytest.raises(InputError, match="--format 13"):
        opened(small(), sample_format=13)


def test_the_byte_order_may_be_named(opened: Opener) -> None:
    segy = small(order="<")
    survey = opened(segy, byte_order=ByteOrder.LITTLE)
    np.testing.assert_array_equal(survey.section("inline", 100).amplitude, VOLUME[0])
    for written, named, right in (("<", "big", "little"), (">", "little", "big")):
        said = (
            f"--byte-order {named}: .* 1,280 .* {right}-endian it is format 5; leave --byte-order"
        )
        with pytest.raises(InputError, match=said):
            opened(small(order=written), byte_order=ByteOrder(named))


@pytest.mark.parametrize("order", [">", "<"])
def test_revision_2_in_all_its_parts(opened: Opener, order: str) -> None:
    segy = small(
        order=order,
        revision=2,
        extended=[text_header("EXTENDED")] * 2,
        further_headers=1,
        trailer=bytes(6400),
        interval=0,
        binary={
            3297: ("I", 0x01020304),
            3221: ("H", 0),
            3269: ("i", 40),
            3273: ("d", 2500.0),
            3529: ("i", 2),
        },
    )
    survey = opened(segy)
    assert survey.layout.header.revision == 2
    assert (survey.layout.start, survey.layout.header_bytes) == (3600 + 6400, 480)
    assert survey.sampling.interval == 2.5
    for number, inline in enumerate(INLINES):
        np.testing.assert_array_equal(survey.section("inline", inline).amplitude, VOLUME[number])
    placed = opened(small(revision=2, binary={3521: ("Q", 3600), 3505: ("h", 7)}))
    np.testing.assert_array_equal(placed.section("inline", 100).amplitude, VOLUME[0])


def test_bytes_swapped_in_pairs_are_refused(opened: Opener) -> None:
    with pytest.raises(InputError, match="swapped in pairs"):
        opened(small(revision=2, binary={3297: ("I", 0x02010403)}))


def test_extended_headers_up_to_their_end(opened: Opener) -> None:
    texts = [text_header("ONE"), text_header("((SEG: EndText))", "ascii")]
    variable = {3505: ("h", -1)}
    survey = opened(small(extended=texts, binary=variable))
    np.testing.assert_array_equal(survey.section("inline", 110).amplitude, VOLUME[5])
    with pytest.raises(InputError, match=r"byte 3505 .*EndText"):
        opened(small(binary=variable))


@pytest.mark.parametrize(
    ("binary", "trace", "said"),
    [(40, 37, "byte 115 37"), (37, 40, "byte 3221 37"), (0, 40, ""), (40, 0, "")],
)
def test_the_number_of_samples_that_the_file_fits(
    opened: Opener, binary: int, trace: int, said: str
) -> None:
    survey = opened(small(common={115: trace}, binary={3221: ("H", binary)}))
    assert survey.layout.samples == 40
    assert any(said in note and "40 taken" in note for note in survey.notes) == bool(said)


def test_no_number_of_samples(opened: Opener) -> None:
    with pytest.raises(InputError, match="bytes 3221 and 115 say that a trace has 0 samples"):
        opened(small(common={115: 0}, binary={3221: ("H", 0)}))


@pytest.mark.parametrize("written", [IBM, IEEE])
@pytest.mark.parametrize("order", [">", "<"])
def test_amplitudes_tell_ibm_from_ieee(written: int, order: str) -> None:
    draw = np.random.default_rng(4)
    for values in (
        draw.normal(0, 300, 3000),
        draw.laplace(0, 2e-3, 3000),
        draw.integers(-99, 99, 3000),
    ):
        content = b"".join(encode(value, written, order) for value in values.tolist())
        assert float_format_of(np.frombuffer(content, order + "u4").astype(np.uint32)) == written


def test_a_mask_tells_no_format() -> None:
    for written in (IBM, IEEE):
        content = b"".join(encode(value, written, ">") for value in [0.0, 1.0] * 200)
        assert float_format_of(np.frombuffer(content, ">u4").astype(np.uint32)) is None


def test_what_the_project_writes_is_read(tmp_path: Path) -> None:
    pytest.importorskip("segyio", reason="segyio has no wheel for this Python")
    write_sections(tmp_path, seed=6, count=1, segy=True)
    with open_segy(tmp_path / "0000_amplitude.sgy", SurveyOptions()) as survey:
        section = survey.section("line", 0)
        expected = np.load(tmp_path / "0000_amplitude.npy")
        np.testing.assert_array_equal(section.amplitude.T, np.where(section.live.T, expected, 0))
        assert section.live.mean() > 0.9
        assert survey.sampling.interval == 1
        assert survey.x is not None and survey.y is not None
        spacing = round(make_section(6, 0).setting.exaggeration, 2)
        np.testing.assert_allclose(survey.x, spacing * np.arange(540), atol=0.005)
        assert (survey.y == 0).all()


def test_sections_that_are_not_there(opened: Opener) -> None:
    survey = opened(small())
    with pytest.raises(InputError, match=r"no inline 101; they run from 100 to 110"):
        survey.section("inline", 101)
    with pytest.raises(InputError, match=r"along depth; ask for inline or crossline"):
        survey.section("depth", 101)


def test_a_file_that_shrinks_while_it_is_read(opened: Opener) -> None:
    survey = opened(small())
    with survey.path.open("r+b") as file:
        file.truncate(5000)
    with pytest.raises(InputError, match=r"ends before byte 13,841 .* had 15,600"):
        survey.section("inline", 110)


def test_a_single_trace(opened: Opener) -> None:
    survey = opened(Segy(FLAT[:1], [{}]))
    assert survey.kind == "2d"
    np.testing.assert_array_equal(survey.section("line", 0).amplitude, FLAT[:1])
