"""The report of a run: what it says, that its bytes are stable, and how it looks in a browser."""

import base64
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from saltseg.config.params import load_params
from saltseg.learning.history import EpochRecord, write_history
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.reports.crop_gallery import BEST
from saltseg.reports.error_kinds import KINDS
from saltseg.reports.page import Facts, fill_template, read_data
from saltseg.reports.palette import FALSE, HIT, MISSED
from saltseg.reports.run_facts import checkout_facts, recorded_facts
from saltseg.reports.run_report import TEMPLATE, read_report, report_page
from tests.helpers.browser import offline_page

CLEANING = "postprocess-connected-components"


@pytest.fixture(scope="module")
def facts(trained: Layout) -> Facts:
    (found,) = read_report(trained.report.read_text())
    return found


def pixels(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))


def test_the_submit_stage_writes_what_the_files_say_to_the_same_bytes(
    trained: Layout, facts: Facts
) -> None:
    params = load_params(trained.params)
    assert trained.report.read_text() == report_page([checkout_facts(trained, params)])
    assert facts["score"] == read_json(trained.score)
    assert facts["crops"] == read_json(trained.result(CLEANING))["crops"]
    assert facts["params"]["base.seed"] == str(params.base.seed)
    manifest = read_json(trained.data("submit") / "manifest.json")
    assert facts["hashes"]["submission"] == manifest["submission"]
    assert facts["hashes"]["models.class_unet/0"] == manifest["models"]["class_unet/0"]
    curve = pd.read_csv(trained.plots("threshold-search") / "curve.csv")
    assert facts["curve"]["score"] == curve["score"].tolist()
    table = pd.read_csv(trained.plots(CLEANING) / "by_coverage.csv")
    assert facts["tables"]["coverage"]["heads"] == table.columns.tolist()
    assert len(facts["tables"]["coverage"]["lines"]) == len(table)
    assert "runtime.threads" in facts["params"]
    assert not {"runtime.workers", "runtime.save_seconds"} & set(facts["params"]), "change nothing"
    assert not {"name", "seconds", "environment"} & set(facts), "of one run and machine"


def test_crops_are_the_worst_of_their_kind_and_the_best_under_their_salt(
    trained: Layout, facts: Facts
) -> None:
    table = pd.read_csv(trained.plots(CLEANING) / "by_crop.csv", dtype={"id": str})
    assert [group["name"] for group in facts["gallery"]] == [*KINDS, BEST]
    for group in facts["gallery"][:-1]:
        own = table[table["error"] == group["name"]].set_index("id")
        shown = [crop["id"] for crop in group["crops"]]
        assert own.loc[shown, "score"].tolist() == sorted(own["score"])[: len(shown)]
    best = [crop["iou"] for crop in facts["gallery"][-1]["crops"]]
    assert best[0] == pytest.approx(table.loc[table["coverage_class"] > 0, "iou"].max(), abs=1e-4)
    masks = np.load(trained.data(CLEANING) / "out_of_fold_masks.npy")
    crops = pd.read_parquet(trained.data("ingest") / "crops.parquet").query("split == 'train'")
    rows = crops.set_index("id")["row"]
    truths, images = (
        np.load(trained.data("ingest") / f"train_{each}.npy") for each in ("masks", "images")
    )
    for crop in facts["gallery"][-1]["crops"]:
        truth, mask = truths[rows[crop["id"]]], masks[table["id"].tolist().index(crop["id"])]
        assert (pixels(crop["image"])[..., 0] == images[rows[crop["id"]]]).all()
        salt = pixels(crop["salt"])
        for paint, where in ((HIT, truth & mask), (MISSED, truth & ~mask), (FALSE, mask & ~truth)):
            assert (salt[where][:, :3] == paint.colour).all()
            assert (salt[where][:, 3] == round(255 * paint.opacity)).all()
        assert (salt[~(truth | mask)][:, 3] == 0).all()


def test_histories_of_trainings_are_in_it(trained: Layout, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "copy")
    shutil.copytree(trained.root, layout.root, copy_function=os.link)
    history = [EpochRecord(at, 0, 0, 1e-3, 0.5 - at / 10, 0.4, at / 10, False) for at in range(3)]
    write_history(layout.plots("train-per-fold", "class_unet", 1) / "history.csv", history)
    (found,) = checkout_facts(layout, load_params(trained.params))["history"]
    assert (found["member"], found["fold"]) == ("class_unet", 1)
    assert found["validation_score"] == [0.0, 0.1, 0.2]


def test_a_text_from_outside_cannot_end_the_data() -> None:
    page = fill_template(TEMPLATE, "<b>", {"runs": [{"name": "</script><script>alert(1)"}]})
    assert "<title>&lt;b&gt;</title>" in page
    assert "</script><script>alert" not in page
    assert read_data(page) == {"runs": [{"name": "</script><script>alert(1)"}]}
    assert read_report("no page") == [] == read_report(page.replace('"runs":[', '"runs":7,"x":['))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with offline_page("file:", "data:", "blob:") as page:
        yield page


def calls(facts: Facts) -> list[list[str]]:
    """What the table of empty against salt says."""
    lost = pd.DataFrame(facts["tables"]["lost"]["lines"], columns=facts["tables"]["lost"]["heads"])
    empty = lost[lost["mask"] == "empty"].sum(numeric_only=True)
    salt = lost[lost["mask"] != "empty"].sum(numeric_only=True)
    unseen = salt["called_empty"] / facts["crops"]
    costs = [[0.0, empty["score_lost"]], [unseen, salt["score_lost"] - unseen]]
    lines = zip(("empty", "salt"), (empty, salt), costs, strict=True)
    return [["", "called empty", "called salt"]] + [
        [
            name,
            f"{part['called_empty']:.0f}, costing {cost[0]:.4f}",
            f"{part['called_salt']:.0f}, costing {cost[1]:.4f}",
        ]
        for name, part, cost in lines
    ]


def test_one_run_in_a_browser(page: Page, trained: Layout, facts: Facts) -> None:
    page.goto(trained.report.as_uri())
    expect(page.locator("body[data-shown]")).to_be_visible()
    assert f"{facts['score']['score']:.4f}" in page.locator("#score").inner_text()
    assert "Times are not part of this file" in page.locator("#time").inner_text()
    for chart in ("#curve", "#reliability"):
        assert page.locator(f"{chart} .scatterlayer .trace").count() >= 2
    assert [line.split("\t") for line in page.locator("#budget tr").all_inner_texts()] == calls(
        facts
    )
    page.locator("#group").select_option(label=f"worst: {KINDS[1]}")
    worst = [crop["id"] for crop in facts["gallery"][1]["crops"]]
    assert worst[0] in page.locator(".crop").first.inner_text()
    page.locator("#on").click()
    assert worst[8] in page.locator(".crop").first.inner_text()
    picture = page.locator(".crop img.salt").first
    assert picture.evaluate("image => image.naturalWidth") == 101
    page.locator("#salt").uncheck()
    expect(picture).to_be_hidden()


def test_runs_side_by_side_in_a_browser(page: Page, facts: Facts, tmp_path: Path) -> None:
    other = facts | {
        "name": "other",
        "params": facts["params"] | {"base.seed": "7"},
        "environment": {"python": "3.12"},
        "seconds": {"ingest": 2.0, "submit": 70.0},
    }
    bare = recorded_facts({}, {"base": {"seed": 8}}) | {"name": "killed"}
    path = tmp_path / "report.html"
    path.write_text(report_page([facts | {"name": "first"}, other, bare]))
    page.goto(path.as_uri())
    expect(page.locator("body[data-shown]")).to_be_visible()
    expect(page.locator("h1")).to_have_text("first and other and killed")
    differing = page.locator("#params table").first.inner_text()
    assert differing.splitlines()[1].split() == ["base.seed", "2018", "7", "8"]
    assert "72.0 s" in page.locator("#time").inner_text()
    assert page.locator("#curve .scatterlayer .trace").count() == 4
    page.locator("#which").select_option(label="other")
    expect(page.locator(".crop").first).to_be_visible()
