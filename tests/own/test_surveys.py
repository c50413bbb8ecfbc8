"""A folder with a survey: masks, polygons and horizons that say the same give the same crops."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from matplotlib.path import Path as Outline

from saltseg.config.own import Own, SurveyFile
from saltseg.crops.crop_set import CropSet
from saltseg.own.blocks import line_blocks
from saltseg.own.own_set import read_own
from saltseg.own.polygons import draw
from saltseg.plumbing.errors import InputError
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.sampling import Sampling
from saltseg.seismic.store import complete, create_store
from tests.helpers.own_data import (
    CROSSLINES,
    FIRST_CROSSLINE,
    FIRST_INLINE,
    INLINES,
    SAMPLES,
    make_volume,
    write_volume,
)

AMPLITUDE, SALT = make_volume()
LABELLED = [0, 5, 10]
OWN = Own(gap=2, most_test=4, empty_share=1)


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_volume(tmp_path_factory.mktemp("survey") / "survey.sgy", AMPLITUDE)


@pytest.fixture
def folder(survey: Path, tmp_path: Path) -> Path:
    shutil.copy(survey, tmp_path)
    return tmp_path


def expected_crops(lines: list[int]) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Cut every crop by plain slices of the arrays that the files were written from."""
    crops = {}
    for line in lines:
        for top in (0, 29, 59):
            for left in (0, 9):
                place = np.s_[line, left : left + 101, top : top + 101]
                tile = AMPLITUDE[place].T.astype(float)
                grey = np.rint((tile - tile.min()) * (255 / (tile.max() - tile.min())))
                crops[f"inline_{FIRST_INLINE + line}_{top:04d}_{left:04d}"] = grey, SALT[place].T
    return crops


def check(crops: CropSet, lines: list[int]) -> None:
    expected = expected_crops(lines)
    assert crops.train["id"].tolist() == sorted(expected)
    for row, name in enumerate(crops.train["id"]):
        grey, salt = expected[name]
        assert np.abs(crops.train_images[row] - grey).max() <= 1  # a half may round either way
        np.testing.assert_array_equal(crops.train_masks[row], salt)


def write_mask(folder: Path) -> None:
    write_volume(folder / "mask.sgy", SALT, LABELLED)


def write_mask_array(folder: Path) -> None:
    np.save(folder / "salt.npy", SALT)


def write_mask_store(folder: Path) -> None:
    with open_survey(folder / "survey.sgy", SurveyOptions()) as survey:
        group = create_store(folder / "survey_mask.zarr", survey, ["mask"], {})
        array: Any = group["mask"]
        array[...] = SALT
        complete(group)


def _outline(line: int) -> list[list[float]]:
    """Follow the salt of a line half a trace and half a sample outside."""
    columns = np.flatnonzero(SALT[line].any(axis=1))
    tops = [int(np.flatnonzero(SALT[line, column])[0]) for column in columns]
    points: list[list[float]] = []
    for column, top in zip(columns, tops, strict=True):
        points += [[column - 0.5, top - 0.5], [column + 0.5, top - 0.5]]
    points += [[columns[-1] + 0.5, SAMPLES], [columns[0] - 0.5, SAMPLES], points[0]]
    return [[FIRST_CROSSLINE + float(x), 4 * float(y)] for x, y in points]


def write_geojson(folder: Path) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"line": FIRST_INLINE + line},
            "geometry": {"type": "Polygon", "coordinates": [_outline(line)]},
        }
        for line in LABELLED
    ]
    content = {"type": "FeatureCollection", "features": features}
    (folder / "polygons.geojson").write_text(json.dumps(content))


def write_polygon_table(folder: Path) -> None:
    rows = [(FIRST_INLINE + line, *point) for line in LABELLED for point in _outline(line)]
    pd.DataFrame(rows, columns=["line", "trace", "depth"]).to_csv(
        folder / "polygons.csv", index=False
    )


def write_horizons(folder: Path) -> None:
    lines = ["inline,crossline,x,y,body,interval,top,base,top_seen,base_seen"]
    for line in LABELLED:
        for column in range(CROSSLINES):
            salt = np.flatnonzero(SALT[line, column])
            if len(salt):
                place = f"{FIRST_INLINE + line},{FIRST_CROSSLINE + column},0,0,1,1"
                lines.append(f"{place},{4 * salt[0]},{4 * salt[-1]},True,True")
    (folder / "horizons.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("write", [write_mask, write_geojson, write_polygon_table, write_horizons])
def test_every_form_of_labels_gives_the_crops_of_plain_slices(
    folder: Path, write: Callable[[Path], None]
) -> None:
    write(folder)
    crops, counts = read_own(folder, OWN, 1)
    check(crops, LABELLED)
    assert crops.train["mosaic"].nunique() == 3
    assert counts.labelled_sections == 3 and len(crops.test) == 4
    assert not set(crops.test["mosaic"]) & set(crops.train["mosaic"])
    again, _ = read_own(folder, OWN, 1)
    pd.testing.assert_frame_equal(crops.table, again.table)
    assert crops.train_images.tobytes() == again.train_images.tobytes()


@pytest.mark.parametrize("write", [write_mask_array, write_mask_store])
def test_whole_masks_of_which_some_lines_are_named(
    folder: Path, write: Callable[[Path], None]
) -> None:
    write(folder)
    lines = [FIRST_INLINE + line for line in LABELLED]
    crops, _ = read_own(folder, OWN.model_copy(update={"lines": lines}), 1)
    check(crops, LABELLED)
    assert len(crops.test) == 4


def test_lines_beside_each_other_are_one_mosaic_and_a_gap_parts_two(folder: Path) -> None:
    write_mask_array(folder)
    settings = OWN.model_copy(update={"block": 3, "gap": 2, "overlap": "none"})
    crops, _ = read_own(folder, settings, 1)
    by_mosaic = crops.train.groupby("mosaic")["id"].apply(
        lambda ids: sorted({int(name.split("_")[1]) - FIRST_INLINE for name in ids})
    )
    assert by_mosaic.to_dict() == {
        f"inline_{FIRST_INLINE + first}": [first, first + 1, first + 2][: INLINES - first]
        for first in (0, 5, 10)
    }
    assert len(crops.test) == 0


def test_blocks_by_hand() -> None:
    assert line_blocks([0, 1, 2, 3, 4, 5, 6, 7], block=3, gap=2) == {
        0: 0, 1: 0, 2: 0, 5: 5, 6: 5, 7: 5,
    }  # fmt: skip
    assert line_blocks([0, 20, 24, 50], block=32, gap=8) == {0: 0, 20: 20, 24: 20, 50: 50}


def test_only_what_is_interpreted_is_used(folder: Path) -> None:
    """Rows without top and base say where there is no salt; elsewhere nothing is known."""
    rows = [f"{FIRST_INLINE},{FIRST_CROSSLINE + column},,,,,," for column in range(4, CROSSLINES)]
    header = "inline,crossline,x,y,body,interval,top,base"
    (folder / "horizons.csv").write_text("\n".join([header, *rows]) + "\n")
    crops, _ = read_own(folder, OWN.model_copy(update={"overlap": "none"}), 1)
    assert crops.train["id"].tolist() == [f"inline_{FIRST_INLINE}_0000_0004"]


def test_a_polygon_may_say_what_was_looked_at(folder: Path) -> None:
    corners = [[304, 0], [410, 0], [410, 408], [304, 408], [304, 0]]
    rows = [f"{FIRST_INLINE},{trace},{depth},interpreted" for trace, depth in corners]
    (folder / "polygons.csv").write_text("\n".join(["line,trace,depth,kind", *rows]) + "\n")
    crops, _ = read_own(folder, OWN.model_copy(update={"overlap": "none"}), 1)
    assert crops.train["id"].tolist() == [f"inline_{FIRST_INLINE}_0000_0004"]


def test_polygons_by_another_library() -> None:
    """matplotlib's test of single points, on random polygons that cross themselves."""
    generator = np.random.default_rng(3)
    sampling, traces = Sampling(40, 2.0, 10.0, "m", None), np.arange(100, 140)
    for _ in range(20):
        corners = generator.uniform((95, 0), (145, 100), (3, 2))
        ring = np.concatenate([corners, corners[:1]])
        points = np.array([(trace, 10 + 2 * sample) for sample in range(40) for trace in traces])
        inside = Outline(ring).contains_points(points).reshape(40, 40)
        np.testing.assert_array_equal(draw([ring], traces, sampling), inside)


def test_holes_stay_open() -> None:
    outer = np.array([[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]], float)
    inner = np.array([[3, 3], [6, 3], [6, 6], [3, 6], [3, 3]], float)
    drawn = draw([outer, inner], np.arange(9), Sampling(9, 1.0, 0.0, "m", None))
    assert drawn.sum() == 81 - 9 and not drawn[3:6, 3:6].any()


def test_depths_in_feet_where_the_survey_has_depths(folder: Path) -> None:
    write_mask(folder)
    settings = OWN.model_copy(update={"survey": SurveyFile(domain="depth", unit="m", interval=2.0)})
    crops, _ = read_own(folder, settings, 1)
    rows = crops.train["id"].str.split("_").str[2].astype(int)
    assert crops.train["depth"].tolist() == [round(2 * row / 0.3048) for row in rows]


def _both(folder: Path) -> None:
    write_mask(folder)
    write_horizons(folder)


def _open_polygon(folder: Path) -> None:
    (folder / "polygons.csv").write_text("line,trace,depth\n100,300,0\n100,310,0\n100,310,9\n")


def _text(name: str, *lines: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text("\n".join(lines) + "\n")


HEADER = "inline,crossline,top,base"
POINTS = "line,trace,depth"
WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no labels": (lambda folder: None, r": holds no labels for survey\.sgy; give one of mask\.sgy"),
    "two labels": (
        _both,
        r": holds 2 labels \(mask\.sgy, horizons\.csv\) for survey\.sgy",
    ),
    "two surveys": (
        lambda folder: shutil.copy(folder / "survey.sgy", folder / "other.sgy"),
        r": holds 2 surveys \(other\.sgy, survey\.sgy\)",
    ),
    "mask of another size": (
        lambda folder: write_volume(folder / "mask.sgy", SALT[:, :, :-1]),
        r"mask\.sgy: has 159 samples from 0 to 632, and survey\.sgy has 160 from 0 to 636",
    ),
    "array of another size": (
        lambda folder: np.save(folder / "mask.npy", SALT[:5]),
        r"mask\.npy: has shape \(5, 110, 160\), and survey\.sgy has \(12, 110, 160\)",
    ),
    "more than two values": (
        lambda folder: write_volume(folder / "mask.sgy", SALT + 2 * SALT.cumsum(axis=2)),
        r"mask\.sgy: inline 100: has more than two values \(0, 3, 5, 7\)",
    ),
    "line not in the survey": (
        _text("polygons.csv", POINTS, "99,300,0", "99,310,0", "99,310,9", "99,300,0"),
        r"polygons\.csv: inline 99 is not in survey\.sgy, whose inlines run from 100 to 111",
    ),
    "trace not in the survey": (
        _text("horizons.csv", HEADER, "100,299,4,8"),
        r"horizons\.csv: line 100: the survey has no trace 299 there",
    ),
    "open polygon": (
        _open_polygon,
        r"polygons\.csv: line 100, polygon \(without a name\): the polygon is open: it begins at",
    ),
    "two corners": (
        _text("polygons.csv", POINTS, "100,300,0", "100,310,0", "100,300,0"),
        r"the polygon has 2 corners; it needs 3",
    ),
    "beside the section": (
        _text("polygons.csv", POINTS, "100,0,0", "100,10,0", "100,10,9", "100,0,0"),
        r"line 100: a polygon has traces from 0 to 10, and the section has 300 to 409",
    ),
    "another axis": (
        _text("polygons.csv", "line,trace,depth,axis", "300,100,0,crossline"),
        r"line 2 of the file: lies on axis 'crossline', and sections are cut along inlines",
    ),
    "no number": (
        _text("horizons.csv", HEADER, "100,300,deep,8"),
        r"horizons\.csv: line 2 of the file: top is 'deep', no number",
    ),
    "upside down": (
        _text("horizons.csv", HEADER, "100,300,8,4"),
        r"horizons\.csv: line 2 of the file: top 8 lies below base 4",
    ),
    "no such column": (
        _text("horizons.csv", "inline,trace,top,base", "1,2,3,4"),
        r"horizons\.csv: has no column 'crossline'",
    ),
    "no GeoJSON": (_text("polygons.geojson", "[1]"), r"is no FeatureCollection of GeoJSON"),
    "no line": (
        _text("polygons.geojson", '{"features": [{"properties": {}, "geometry": null}]}'),
        r"polygons\.geojson: feature 1: line is '', no whole number",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_folders_are_told_in_one_line(folder: Path, case: str) -> None:
    spoil, message = WRONG[case]
    spoil(folder)
    with pytest.raises(InputError) as caught:
        read_own(folder, OWN, 1)
    assert re.search(message, str(caught.value)), str(caught.value)
    assert str(caught.value).startswith(str(folder)) and "\n" not in str(caught.value)


def test_lines_that_the_mask_lacks(folder: Path) -> None:
    write_mask(folder)
    with pytest.raises(InputError, match=r"mask\.sgy: has no inline 101, which ingest\.own\.lines"):
        read_own(folder, OWN.model_copy(update={"lines": [101]}), 1)
