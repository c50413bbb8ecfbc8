"""All that is made of a prediction: which files, that they are right, stable and looked after."""

import base64
import hashlib
import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.errors import InputError
from saltseg.reports.survey_sections import SectionName, SectionSource, parse_section
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import Domain, SurveyOptions
from saltseg.seismic.store import StoredSurvey, open_store
from saltseg.seismic.survey import Survey
from saltseg.serving.survey_outputs import NAMES, OutputChoices, write_outputs
from tests.helpers.browser import find_browser, open_page
from tests.helpers.pictures import read
from tests.helpers.small_surveys import blobs, line, with_gaps
from tests.seismic.conftest import small
from tests.seismic.predictions import predict
from tests.seismic.segy_writer import Segy, grid_headers, volume

Mask = npt.NDArray[np.bool_]
MODEL = {"run": "0" * 32, "logged_model": "m-1"}
SHAPE = 6, 5, 40


@dataclass
class Made:
    """A survey, its prediction, and what was made of them."""

    survey: Survey
    store: StoredSurvey
    out: Path
    record: dict[str, Any]

    def labels(self) -> StoredSurvey:
        return open_store(self.out / "bodies.zarr", SurveyOptions(), ["body"])


def array(path: Path) -> Survey:
    np.save(path.with_suffix(".npy"), volume())
    options = SurveyOptions(axes="inline,crossline,sample", domain=Domain.TIME, interval=4.0)
    return open_survey(path.with_suffix(".npy"), options)


def segy(content: Segy) -> Callable[[Path], Survey]:
    def write(path: Path) -> Survey:
        return open_survey(content.write(path), SurveyOptions(domain=Domain.DEPTH))

    return write


SURVEYS: dict[str, Callable[[Path], Survey]] = {
    "volume": segy(small()),
    "gaps": segy(with_gaps()),
    "line": segy(line()),
    "array": array,
}


def made(folder: Path, survey: Survey, mask: Mask | None = None, **choices: Any) -> Made:  # noqa: ANN401
    shape = (*survey.grid.traces.shape, survey.sampling.count)
    told = {"survey": {"file": str(survey.path)}, "options": {"domain": "depth"}}
    facts = {"prediction": told, "model": MODEL}
    found = blobs(shape) if mask is None else mask
    store = predict(folder / "prediction.zarr", survey, found, facts=facts)
    chosen = OutputChoices(**{"least": 3} | choices)
    record = write_outputs(store.path, survey, folder / "out", chosen)
    return Made(survey, store, folder / "out", record)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The outputs of a volume with a truth; not to be changed."""
    folder = tmp_path_factory.mktemp("usual")
    truth = blobs(seed=4).astype(np.float64)
    true = small(samples=truth.reshape(-1, 40)).write(folder / "truth.sgy")
    survey = SURVEYS["volume"](folder / "survey.sgy")
    at = survey.sampling.first + 7.4 * survey.sampling.interval
    sections = ("inline:104", "crossline:302", f"sample:{at}")
    return made(folder, survey, sections=sections, truth=true)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".saltseg-outputs"
    }


@pytest.mark.parametrize("kind", SURVEYS)
def test_each_survey_gets_its_files_and_the_same_twice(tmp_path: Path, kind: str) -> None:
    survey = SURVEYS[kind](tmp_path / "survey.sgy")
    first = made(tmp_path, survey)
    wanted = set(NAMES)
    if kind == "array":
        wanted -= {"probability.sgy", "mask.sgy", "top.xyz", "base.xyz"}
    found = files(first.out)
    assert {name.partition("/")[0] for name in found} == wanted
    again = tmp_path / "again"
    write_outputs(first.store.path, survey, again, OutputChoices(least=3))
    assert files(again) == found
    pictures = [name for name in found if name.startswith("sections/")]
    assert len(pictures) == (1 if kind == "line" else 2)
    assert first.record["results"]["bodies"] > 0
    assert ("surface" in found["survey.html"].decode()) and page_data(first)["sections"]
    assert (page_data(first)["surface"] is None) is (kind == "line")


@pytest.mark.parametrize("salt", [False, True])
def test_no_salt_and_nothing_but_salt(tmp_path: Path, salt: bool) -> None:
    survey = SURVEYS["volume"](tmp_path / "survey.sgy")
    found = made(tmp_path, survey, np.full(SHAPE, salt))
    assert found.record["results"]["bodies"] == int(salt)
    assert found.record["results"]["salt_samples"] == (1200 if salt else 0)
    lines = (found.out / "bodies.csv").read_text().splitlines()
    assert len(lines) == 1 + salt
    with open_survey(found.out / "mask.sgy", SurveyOptions()) as mask:
        raw = mask.raw(np.arange(30))
    assert (raw == salt).all()


def page_data(found: Made) -> dict[str, Any]:
    text = (found.out / "survey.html").read_text()
    (content,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    data: dict[str, Any] = json.loads(content)
    return data


def unpacked(text: str, code: str) -> list[Any]:
    content = zlib.decompress(base64.b64decode(text))
    return [value for (value,) in struct.iter_unpack("<" + code, content)]


def test_a_page_holds_the_sections_and_the_surface(usual: Made) -> None:
    data = page_data(usual)
    assert [(each["axis"], each["number"]) for each in data["sections"]] == [
        *(("inline", number) for number in usual.survey.grid.inlines),
        *(("crossline", number) for number in usual.survey.grid.crosslines),
    ]
    section = data["sections"][3]
    high, wide = section["shape"]
    body = usual.labels().block("body", slice(3, 4), slice(None))[0].T
    chance = usual.store.block("probability", slice(3, 4), slice(None))[0].T
    raw = usual.survey.section("inline", 106).amplitude.T
    clip = np.percentile(abs(raw), 99)
    salt, chances = unpacked(section["salt"], "B"), unpacked(section["probability"], "B")
    amplitudes = unpacked(section["amplitude"], "b")
    for row in range(high):
        for column in range(wide):
            at = row * wide + column
            assert salt[at] == (body[row, column] > 0)
            assert chances[at] == round(float(chance[row, column]) * 250)
            shown = round(float(np.clip(raw[row, column] / clip, -1, 1)) * 127)
            assert abs(amplitudes[at] - shown) <= 1
    vertices = np.reshape(unpacked(data["surface"]["vertices"], "f"), (-1, 3))
    assert np.array(unpacked(data["surface"]["triangles"], "i")).max() == len(vertices) - 1
    assert vertices[:, 1].min() >= 98 and vertices[:, 1].max() <= 112
    assert (usual.out / "survey.html").stat().st_size < 6e6


@pytest.mark.slow  # a browser
def test_a_page_works_in_a_browser_without_a_network(usual: Made) -> None:
    browser = find_browser()
    if browser is None:
        pytest.skip("no Chromium")
    wrong: list[str] = []
    with open_page(browser) as page:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url))
        page.goto((usual.out / "survey.html").as_uri())
        assert wrong.pop(0).startswith("file:")
        page.wait_for_selector('#section[data-shown="inline:106"] .heatmaplayer')
        page.locator("#place").fill("0")
        page.wait_for_selector('#section[data-shown="inline:100"]')
        page.locator("#axis").select_option("crossline")
        page.wait_for_selector('#section[data-shown="crossline:300"]')
        page.locator("#probability").check()
        page.wait_for_selector("#section .colorbar")
        assert "bod" in page.locator("#summary").inner_text()
        assert page.locator("#bodies tr").count() == usual.record["results"]["bodies"] + 1
    assert [each for each in wrong if "WebGL" not in each] == []


def test_sections_are_measured_against_the_truth(usual: Made) -> None:
    truth = blobs(seed=4)
    found = usual.labels().block("body", slice(2, 3), slice(None))[0] > 0
    both, either = (found & truth[2]).sum(), (found | truth[2]).sum()
    measured = usual.record["results"]["sections"]
    assert measured["inline:104"]["iou"] == pytest.approx(both / either)
    assert list(measured)[:2] == ["inline:104", "crossline:302"]
    picture = read(usual.out / "sections" / "inline_104.png")
    assert picture.shape[0] > 1000 and picture.shape[1] >= 800


def test_a_slice_is_the_nearest_sample_of_every_trace(usual: Made) -> None:
    name = parse_section(list(usual.record["results"]["sections"])[2], usual.survey)
    found = usual.labels().block("body", slice(None), slice(None))[..., 7] > 0
    truth = blobs(seed=4)[..., 7]
    with open_survey(usual.out.parent / "truth.sgy", SurveyOptions()) as true:
        section = SectionSource(usual.survey, usual.store, usual.labels(), true).read(name)
    np.testing.assert_array_equal(section.salt.T, found)
    np.testing.assert_array_equal(section.truth.T, truth)  # type: ignore[union-attr]
    sections = [usual.survey.section("inline", int(n)) for n in usual.survey.grid.inlines]
    np.testing.assert_array_equal(section.amplitude.T, [s.amplitude[:, 7] for s in sections])
    iou = (found & truth).sum() / (found | truth).sum()
    assert usual.record["results"]["sections"][str(name)]["iou"] == pytest.approx(iou)
    assert (usual.out / "sections" / name.file).is_file()


def test_a_section_of_nothing_but_true_salt_is_no_dead_one(tmp_path: Path) -> None:
    survey = SURVEYS["volume"](tmp_path / "survey.sgy")
    true = small(samples=np.ones((30, 40))).write(tmp_path / "truth.sgy")
    found = made(tmp_path, survey, np.full(SHAPE, True), truth=true)
    assert {each["iou"] for each in found.record["results"]["sections"].values()} == {1.0}
    with open_survey(true, SurveyOptions()) as truth:
        source = SectionSource(survey, found.store, found.labels(), truth)
        section = source.read(SectionName("inline", 104))
    assert section.truth is not None and section.truth.all()


def test_the_record_names_what_was_read_and_made(usual: Made) -> None:
    record = json.loads((usual.out / "record.json").read_text())
    assert record == json.loads(json.dumps(usual.record))
    content = usual.survey.path.read_bytes()
    assert record["survey"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert record["model"] == MODEL
    assert record["choices"]["least"] == 3
    assert record["inferred"]["inline_byte"] == 189
    for name in ("mask.sgy", "horizons.csv", "survey.html", "bodies.csv"):
        digest = hashlib.sha256((usual.out / name).read_bytes()).hexdigest()
        assert record["files"][name]["sha256"] == digest


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"sections": ("inline:101",)}, "inline 100 to 110 in steps of 2"),
        ({"sections": ("depth:3",)}, "is no section of .* write inline:100 or crossline:300"),
        ({"sections": ("inline:--5",)}, "--section inline:--5: is no section of"),
        ({"sections": ("inline:²",)}, "--section inline:²: is no section of"),
        ({"sections": ("inline:" + "9" * 5000,)}, "is no section of"),
        ({"sections": ("sample:1e9",)}, "--section sample:1e9: .* has samples from"),
        ({"sections": ("sample:deep",)}, "--section sample:deep: .* has samples from"),
        ({"truth": Path("missing.sgy")}, "missing.sgy: there is no such file"),
    ],
)
def test_wrong_choices_are_told_and_leave_nothing(
    tmp_path: Path, choices: dict[str, Any], message: str
) -> None:
    survey = SURVEYS["volume"](tmp_path / "survey.sgy")
    with pytest.raises(InputError, match=message):
        made(tmp_path, survey, **choices)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(("factor", "shown"), [(255, "0 to 255"), (-2000, "-2000 to 0")])
def test_a_truth_of_other_values_is_refused(tmp_path: Path, factor: int, shown: str) -> None:
    salt = blobs(seed=4).reshape(-1, 40).astype(np.float64)
    salt[3, :9] = -999.25  # a null value is none
    small(samples=np.where(salt == 1, factor, salt)).write(tmp_path / "truth.sgy")
    survey = SURVEYS["volume"](tmp_path / "survey.sgy")
    with pytest.raises(InputError, match=f"truth.sgy: holds {shown}; a truth is 0, and 1 in salt"):
        made(tmp_path, survey, truth=tmp_path / "truth.sgy")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        (
            {"common": {109: 40}},
            "has 40 samples from 40 to 196, and survey.sgy has 40 from 0 to 156",
        ),
        ({"interval": 2000}, "has 40 samples from 0 to 78, and survey.sgy has 40 from 0 to 156"),
        (
            {"headers": grid_headers(range(100, 112, 2), range(301, 306))},
            "has 5 crosslines from 301 to 305, and survey.sgy has 5 from 300 to 304",
        ),
    ],
)
def test_a_truth_of_other_places_is_refused_before_any_work(
    tmp_path: Path, changes: dict[str, Any], shown: str
) -> None:
    salt = blobs(seed=4).reshape(-1, 40).astype(np.float64)
    small(samples=salt, **changes).write(tmp_path / "truth.sgy")
    survey = SURVEYS["volume"](tmp_path / "survey.sgy")
    with pytest.raises(InputError, match=f"truth.sgy: {shown}; name another --truth"):
        made(tmp_path, survey, truth=tmp_path / "truth.sgy")
    assert not (tmp_path / "out").exists()


def test_a_truth_for_an_array_is_taken_by_place(tmp_path: Path) -> None:
    survey = array(tmp_path / "survey.sgy")
    headers = grid_headers(range(6), range(5))  # as arrays are numbered; the first sample is not
    truth = small(samples=blobs().reshape(-1, 40), headers=headers, common={109: 500})
    found = made(tmp_path, survey, blobs(), least=1, truth=truth.write(tmp_path / "truth.sgy"))
    assert {each["iou"] for each in found.record["results"]["sections"].values()} == {1.0}


def test_a_truth_of_unsigned_numbers_is_taken_as_it_is(tmp_path: Path) -> None:
    """All but the top is salt, so that the middle of the numbers is 1."""
    salt = np.ones(SHAPE, bool)
    salt[..., :9] = False
    true = small(samples=salt.reshape(-1, 40), sample_format=16).write(tmp_path / "truth.sgy")
    found = made(tmp_path, SURVEYS["volume"](tmp_path / "survey.sgy"), salt, truth=true)
    assert {each["iou"] for each in found.record["results"]["sections"].values()} == {1.0}


def test_a_prediction_of_another_survey_is_refused(tmp_path: Path, usual: Made) -> None:
    other = segy(small(headers=grid_headers(range(1, 7), range(300, 305))))(tmp_path / "b.sgy")
    with pytest.raises(InputError, match="was not predicted on"):
        write_outputs(usual.store.path, other, tmp_path / "out", OutputChoices())


def test_the_command_makes_the_outputs_again(
    tmp_path: Path, usual: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # no MLflow store there
    command = ["export", str(usual.store.path), "--out", "out", "--section", "inline:104"]
    first = CliRunner().invoke(app, [*command, "--least-body", "3"])
    assert first.exit_code == 0, first.output
    assert "bodies" in first.output
    for name in ("mask.sgy", "probability.sgy", "horizons.csv", "bodies.csv", "survey.html"):
        assert (tmp_path / "out" / name).read_bytes() == (usual.out / name).read_bytes()
    second = CliRunner().invoke(app, command)
    assert second.exit_code == 1
    assert "--force" in second.output
    assert CliRunner().invoke(app, [*command, "--force"]).exit_code == 0
