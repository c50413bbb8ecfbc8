"""Surveys in zarr stores and in arrays."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from saltseg.plumbing.errors import InputError
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import Domain, LengthUnit, Polarity, SurveyOptions
from saltseg.seismic.store import (
    ATTRIBUTE,
    PREDICTION,
    StoredSurvey,
    complete,
    create_store,
    open_store,
)
from saltseg.seismic.survey import Survey
from tests.seismic.conftest import CROSSLINES, INLINES, Opener, small
from tests.seismic.segy_writer import grid_headers, volume

VOLUME = volume(len(INLINES), len(CROSSLINES))


def stored(path: Path, survey: Survey) -> StoredSurvey:
    """Copy a survey into a store, section by section, and open that."""
    group = create_store(path, survey, ["amplitude", "live"], {"made_of": survey.path.name})
    axis = survey.grid.axes[0]
    for place, number in enumerate(survey.grid.numbers(axis).tolist()):
        section = survey.section(axis, number)
        where = slice(None) if survey.grid.line else place
        for name in ("amplitude", "live"):
            group[name][where] = getattr(section, name)  # type: ignore[index]
    complete(group)
    return open_store(path, SurveyOptions())


@pytest.mark.parametrize("in_2d", [False, True])
def test_a_store_reads_as_the_file_that_it_was_made_of(
    opened: Opener, tmp_path: Path, in_2d: bool
) -> None:
    headers = grid_headers([7], range(40, 67)) if in_2d else grid_headers(INLINES, CROSSLINES)[:27]
    samples = VOLUME.reshape(-1, 40)[:27].copy()
    samples[3, :9], samples[5] = 0, -999.25
    survey = opened(small(samples=samples, headers=headers, common={109: -8}), domain=Domain.DEPTH)
    store = stored(tmp_path / "store.zarr", survey)
    assert (store.kind, store.grid.places, store.grid.count) == (
        survey.kind,
        survey.grid.places,
        survey.grid.count,
    )
    assert store.sampling == survey.sampling
    assert store.facts["made_of"] == "survey.sgy"
    for axis in survey.grid.axes:
        for number in survey.grid.numbers(axis).tolist():
            for _ in range(2):
                one, two = survey.section(axis, number), store.section(axis, number)
                np.testing.assert_array_equal(two.amplitude, one.amplitude)
                np.testing.assert_array_equal(two.live, one.live)
                np.testing.assert_array_equal(two.numbers, one.numbers)
    chosen = np.array([26, 3, 14])
    at = np.flatnonzero(survey.grid.traces.ravel() >= 0)[chosen]
    np.testing.assert_array_equal(store.traces(at)[0], survey.traces(chosen)[0])
    assert store.x is not None and survey.x is not None
    np.testing.assert_array_equal(store.x[at], survey.x[chosen])


def test_what_is_no_whole_store(opened: Opener, tmp_path: Path) -> None:
    survey = opened(small())
    path = tmp_path / "store.zarr"
    with pytest.raises(InputError, match="is a folder, and no zarr store; name a SEG-Y file"):
        open_survey(tmp_path, SurveyOptions())
    group = create_store(path, survey, ["probability"], {})
    with pytest.raises(InputError, match="not written to its end"):
        open_store(path, SurveyOptions())
    with pytest.raises(InputError, match="is there already"):
        create_store(path, survey, ["amplitude"], {})
    complete(group)
    with pytest.raises(InputError, match="no amplitude"):
        open_store(path, SurveyOptions())
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(InputError, match="'saltseg' is not that of a store"):
        open_store(tmp_path / "other.zarr", SurveyOptions())
    damaged = stored(tmp_path / "damaged.zarr", survey)
    for part in (tmp_path / "damaged.zarr" / "trace").rglob("*"):
        if part.is_file():
            part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged"):
        open_store(damaged.path, SurveyOptions())


def test_the_unit_of_a_store_may_be_told(opened: Opener, tmp_path: Path) -> None:
    survey = opened(small(), domain=Domain.DEPTH, unit=LengthUnit.METRES)
    path = stored(tmp_path / "store.zarr", survey).path
    told = SurveyOptions(domain=Domain.DEPTH, unit=LengthUnit.FEET)
    assert [open_store(path, each).sampling.unit for each in (SurveyOptions(), told)] == ["m", "ft"]


def test_what_is_named_in_place_of_a_prediction(tmp_path: Path) -> None:
    needed, file, out = ["mask"], small().write(tmp_path / "a.sgy"), tmp_path / "out"
    (out / PREDICTION).mkdir(parents=True)
    with pytest.raises(InputError, match=r"/out: is a folder, not a store; name .*/out/predi"):
        open_store(out, SurveyOptions(), needed)
    for path, reason in (
        (out / PREDICTION, "is a folder, not a store; name a prediction.zarr of 'saltseg predict'"),
        (file, "is a file, not a store; name a prediction.zarr of 'saltseg predict'"),
        (tmp_path / "none", "there is no such file"),
    ):
        with pytest.raises(InputError, match=f"{path.name}: {reason}"):
            open_store(path, SurveyOptions(), needed)


def test_a_store_is_sharded(opened: Opener, tmp_path: Path) -> None:
    store = stored(tmp_path / "store.zarr", opened(small()))
    array = store.group["amplitude"]
    assert isinstance(array, zarr.Array)
    assert array.metadata.zarr_format == 3
    assert array.shards is not None
    assert array.metadata.dimension_names == ("inline", "crossline", "sample")
    assert store.group.attrs[ATTRIBUTE]["complete"] is True  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    "axes", ["inline,crossline,sample", "sample,inline,crossline", "crossline, sample, inline"]
)
def test_an_array_of_three_dimensions(tmp_path: Path, axes: str) -> None:
    names = [axis.strip() for axis in axes.split(",")]
    order = [["inline", "crossline", "sample"].index(name) for name in names]
    np.save(tmp_path / "volume.npy", VOLUME.transpose(order).astype(">i2"))
    options = SurveyOptions(axes=axes, interval=2.0, domain=Domain.TIME, polarity=Polarity.REVERSED)
    survey = open_survey(tmp_path / "volume.npy", options)
    assert (survey.kind, survey.sampling.unit, survey.sampling.interval) == ("3d", "ms", 2.0)
    np.testing.assert_array_equal(survey.section("inline", 4).amplitude, -VOLUME[4])
    np.testing.assert_array_equal(survey.section("crossline", 4).amplitude, -VOLUME[:, 4])


def test_an_array_of_two_dimensions(tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", np.asfortranarray(VOLUME[0].T))
    survey = open_survey(tmp_path / "line.npy", SurveyOptions(axes="sample,trace"))
    assert (survey.kind, survey.sampling.unit) == ("2d", "sample")
    np.testing.assert_array_equal(survey.section("line", 0).amplitude, VOLUME[0])


@pytest.mark.parametrize(
    ("array", "axes", "said"),
    [
        (VOLUME, None, r"--axes inline,crossline,sample"),
        (VOLUME[0], None, r"--axes trace,sample"),
        (VOLUME, "inline,sample", "--axes inline,sample does not name"),
        (VOLUME, "inline,inline,sample", "does not name"),
        (VOLUME[None], "inline,crossline,sample", "two or three dimensions"),
        (VOLUME > 0, "inline,crossline,sample", "real numbers"),
        (VOLUME[:0], "inline,crossline,sample", "shape"),
    ],
)
def test_wrong_arrays(
    tmp_path: Path, array: np.ndarray[tuple[int, ...], np.dtype[np.float64]], axes: str, said: str
) -> None:
    np.save(tmp_path / "volume.npy", array)
    with pytest.raises(InputError, match=said):
        open_survey(tmp_path / "volume.npy", SurveyOptions(axes=axes))


def test_an_array_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_survey(tmp_path / "none.npy", SurveyOptions(axes="trace,sample"))
    for content in (b"", b"\x93NUMPY\x01\x00", b"x" * 500):
        (tmp_path / "damaged.npy").write_bytes(content)
        with pytest.raises(InputError, match=r"cannot be read as .npy"):
            open_survey(tmp_path / "damaged.npy", SurveyOptions(axes="trace,sample"))
