"""The page of `dvc plots show`, made by DVC's own renderers and opened without a network."""

import shutil
from pathlib import Path

import pytest
from dvc_render import ImageRenderer, VegaRenderer, render_html
from playwright.sync_api import expect

from saltseg.reports.contact_sheet import Group, contact_sheet
from tests.conftest import PROJECT
from tests.helpers.browser import find_browser, open_page

TEMPLATES = PROJECT / ".dvc" / "plots"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A checkout's page with bars and a picture."""
    shutil.copytree(TEMPLATES, tmp_path / ".dvc" / "plots")
    points = [{"rev": "workspace", "mask": kind, "score": 0.5} for kind in ("empty", "tiny")]
    bars = VegaRenderer(
        points, "bars", x="mask", y="score", title="Bars", template="bars", template_dir=TEMPLATES
    )
    folder = tmp_path / "dvc_plots"
    contact_sheet(folder / "static" / "sheet.png", [Group("heading", [])])
    picture = {"rev": "workspace", "src": "static/sheet.png"}
    name = "results/plots/submit/pseudolabels_1.png"
    renderers = [bars, ImageRenderer([picture], name)]
    return Path(render_html(renderers, folder / "index.html", str(TEMPLATES / "page.html")))


def test_it_draws_and_names_pictures_without_a_network(page: Path) -> None:
    browser = find_browser()
    if browser is None:
        pytest.skip("no browser: neither CHROMIUM nor chromium or google-chrome in PATH")
    with open_page(browser) as shown:
        shown.context.set_offline(True)
        shown.goto(page.as_uri())
        expect(shown.locator("canvas.marks")).to_be_visible()
        expect(shown.get_by_role("heading", name="Pseudo-labels of fold 1")).to_be_visible()
        assert "results/plots" not in shown.inner_text("body")
        assert shown.locator("img").evaluate("image => image.naturalWidth") == 1200
