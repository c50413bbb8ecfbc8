"""Pages of all crops: what they hold, that their bytes are stable, and how they are used."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.files import write_array
from saltseg.plumbing.layout import Layout
from saltseg.reports.crop_pages import PAGE, SHEETS, write_crop_pages
from saltseg.reports.crop_sheets import ACROSS, LEVELS, probability_colours, write_image_sheets
from saltseg.reports.error_kinds import KINDS
from saltseg.reports.page import Facts, read_data
from saltseg.scoring.rle import decode
from tests.helpers.browser import offline_page

CLEANING = "postprocess-connected-components"


@pytest.fixture(scope="module")
def run(trained: Layout, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The tiny pipeline's files, in which the neighbours of two crops are known."""
    layout = Layout(tmp_path_factory.mktemp("crops") / "run")
    shutil.copytree(trained.root, layout.root, copy_function=os.link)
    table = pd.read_parquet(trained.data("coverage-stratify") / "crops.parquet")
    first, second = table.query("split == 'train'")["id"][:2]
    test = table.query("split == 'test'")["id"].iloc[3]
    found = [(first, second, "right", 0.9), (test, first, "below", 0.9)]
    path = layout.data("coverage-stratify") / "neighbours.parquet"
    path.unlink()
    pd.DataFrame(found, columns=["id", "neighbour", "side", "correlation"]).to_parquet(path)
    return layout


@pytest.fixture(scope="module")
def pages(run: Layout) -> Path:
    folder = run.root / "crops"
    assert write_crop_pages(run, folder) == 24
    return folder


@pytest.fixture(scope="module")
def data(pages: Path) -> Facts:
    found = read_data((pages / PAGE).read_text())
    assert found is not None
    return found


def part(path: Path, at: int) -> np.ndarray:
    """Return the picture of one crop of a sheet: uint8 (101, 101), or with colours."""
    down, across = (101 * place for place in divmod(at, ACROSS))
    with Image.open(path) as sheet:
        wanted = sheet if sheet.mode == "L" else sheet.convert("RGB")
        return np.asarray(wanted)[down : down + 101, across : across + 101]


def test_every_crop_is_there_as_the_stages_left_it(run: Layout, pages: Path, data: Facts) -> None:
    table = pd.read_csv(run.plots(CLEANING) / "by_crop.csv", dtype={"id": str})
    crops = data["crops"]
    assert crops["id"] == table["id"].tolist()
    assert crops["iou"] == pytest.approx(table["iou"].tolist(), abs=1e-4)
    rows = pd.read_parquet(run.data("snapshot-ensemble") / "out_of_fold.parquet")["row"]
    truths = np.load(run.data("ingest") / "train_masks.npy")[rows]
    assert (decode(crops["truth"]) == truths).all()
    masks = np.load(run.data(CLEANING) / "out_of_fold_masks.npy")
    assert (decode(crops["predicted"]) == masks).all()
    images = np.load(run.data("ingest") / "train_images.npy")[rows]
    assert (part(pages / SHEETS / "images_0.png", 9) == images[9]).all()
    probabilities = np.load(run.data("snapshot-ensemble") / "out_of_fold.npy").astype(np.float32)
    steps = np.minimum(probabilities[9] * LEVELS, LEVELS - 1).astype(int)
    colours = np.array(probability_colours())
    assert (part(pages / SHEETS / "probabilities_0.png", 9) == colours[steps]).all()


def test_neighbours_are_linked_both_ways_and_those_of_the_test_set_pictured(
    run: Layout, pages: Path, data: Facts
) -> None:
    first, second = (data["crops"]["id"].index(name) for name in sorted(data["crops"]["id"])[:2])
    assert data["links"][first] == {"right": second, "above": 24}
    assert data["links"][second] == {"left": first}
    assert data["links"][24] == {"below": first}
    assert data["others"]["split"] == ["test"]
    test = np.load(run.data("ingest") / "test_images.npy")
    assert (part(pages / SHEETS / "images_0.png", 24) == test[3]).all()
    masks = np.load(run.data(CLEANING) / "test_masks.npy")
    assert (decode(data["others"]["salt"])[0] == masks[3]).all()


def test_without_predictions_of_test_crops_none_are_pictured(run: Layout, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "run")
    shutil.copytree(run.root, layout.root, copy_function=os.link)
    masks = layout.data("postprocess-connected-components") / "test_masks.npy"
    write_array(masks, np.load(masks)[:0].copy())
    assert write_crop_pages(layout, tmp_path / "pages") == 24
    found = read_data((tmp_path / "pages" / PAGE).read_text())
    assert found is not None and found["others"]["split"] == []


def test_equal_runs_make_equal_files(run: Layout, pages: Path, tmp_path: Path) -> None:
    write_crop_pages(run, tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert files == sorted(path.relative_to(pages) for path in pages.rglob("*.*"))
    assert all((tmp_path / each).read_bytes() == (pages / each).read_bytes() for each in files)


def test_crops_fill_sheet_after_sheet(tmp_path: Path) -> None:
    crops = [np.full((101, 101), at, np.uint8) for at in range(ACROSS**2 + ACROSS + 1)]
    write_image_sheets(tmp_path, crops)
    assert (part(tmp_path / "images_0.png", ACROSS**2 - 1) == ACROSS**2 - 1).all()
    assert (part(tmp_path / "images_1.png", ACROSS) == len(crops) - 1).all()
    with Image.open(tmp_path / "images_1.png") as last:
        assert last.size == (ACROSS * 101, 2 * 101)


def test_the_command(run: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.root)
    asked = ["crops", "--out", str(tmp_path / "pages")]
    said = CliRunner().invoke(app, asked)
    assert (said.exit_code, said.output.count("\n")) == (0, 1)
    assert "24 crops, 0." in said.output
    assert "--force" in CliRunner().invoke(app, asked).output
    assert CliRunner().invoke(app, [*asked, "--force"]).exit_code == 0
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    said = CliRunner().invoke(app, ["crops"])
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert "by_crop.csv: cannot be read" in said.output
    assert not [*(tmp_path / "empty" / "crops").iterdir()]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with offline_page("file:") as page:
        yield page


def test_leafing_in_a_browser(page: Page, pages: Path, data: Facts) -> None:
    table = pd.DataFrame({name: data["crops"][name] for name in ("id", "fold", "error", "iou")})
    page.goto((pages / PAGE).as_uri())
    expect(page.locator("#sheet canvas[data-drawn]")).to_have_count(24)
    page.locator("#sort").select_option("iou")
    page.locator("#fold").select_option("1")
    page.locator("#error").select_option(KINDS[1])
    wanted = table[(table["fold"] == 1) & (table["error"] == KINDS[1])].sort_values("iou")
    expect(page.locator("#sheet .crop")).to_have_count(len(wanted))
    shown = [text.split("\n")[0] for text in page.locator("#sheet .crop").all_inner_texts()]
    assert table.set_index("id").loc[shown, "iou"].tolist() == wanted["iou"].tolist()
    page.locator("#sheet .crop").first.press("Enter")
    expect(page.locator("#name")).to_have_text(shown[0])
    expect(page.locator("#one .panels canvas[data-drawn]")).to_have_count(4)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#name")).to_have_text(shown[1])
    assert f"crop={shown[1]}" in page.url
    page.keyboard.press("Escape")
    expect(page.locator("#one")).to_be_hidden()
    assert page.evaluate("document.activeElement.innerText").startswith(shown[1])


def test_neighbours_and_words_for_pictures_in_a_browser(
    page: Page, pages: Path, data: Facts
) -> None:
    first, second = sorted(data["crops"]["id"])[:2]
    page.goto(f"{(pages / PAGE).as_uri()}#crop={first}")
    expect(page.locator("#mosaic canvas[data-drawn]")).to_have_count(3)
    words = page.locator("#one canvas").evaluate_all("all => all.map(each => each.ariaLabel)")
    assert all(f"crop {first}, " in text and "IoU" in text for text in words[:4])
    assert words[4].startswith("above: ")
    page.locator("#mosaic button").click()
    expect(page.locator("#name")).to_have_text(second)
