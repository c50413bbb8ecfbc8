"""MLflow's pages in a real browser, on a store that recorders have filled."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from saltseg.reports.contact_sheet import Group, contact_sheet
from tests.helpers.browser import find_browser, open_page
from tests.helpers.servers import mlflow_server
from tests.tracking.conftest import DVC_YAML, SOURCE, commit_all, runs, start_stage

pytestmark = pytest.mark.long  # a server, a browser, and recorders that import MLflow

RESULTS = {
    "plump-newt": {"crops": 60, "score": 0.625, "score_low": 0.5, "score_high": 0.75},
    "lanky-tern": {"crops": 60, "score": 0.75, "score_low": 0.625, "score_high": 0.875},
}
"""The final scores of two experiments."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A project with the runs of two experiments, which differ in their seed and their score."""
    root = tmp_path_factory.mktemp("project")
    (root / "mlruns").mkdir()
    shutil.copy(migrated, root / "mlruns" / "mlflow.db")
    name = "postprocess-connected-components"
    (root / "dvc.yaml").write_text(f"{DVC_YAML}  {name}:\n    cmd: python stage.py\n")
    params = (SOURCE / "params.yaml").read_text()
    (root / ".gitignore").write_text("/mlruns\n")
    commit_all(root)
    sheet = root / "results" / "plots" / "submit" / "predictions.png"
    contact_sheet(sheet, [Group("none", [])])
    for seed, (experiment, result) in enumerate(RESULTS.items(), start=5):
        changed, found = re.subn(r"(?m)^  seed: \d+$", f"  seed: {seed}", params)
        assert found == 1
        (root / "params.yaml").write_text(changed)
        stage = start_stage(root, f"run.metrics({result})", name, DVC_EXP_NAME=experiment)
        assert stage.communicate(timeout=120)[1] == ""
        runs(root)
    return root


@pytest.fixture(scope="module")
def address(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLflow's server, as `make ui` starts it, on that store."""
    database = f"sqlite:///{store / 'mlruns' / 'mlflow.db'}"
    with mlflow_server(database, tmp_path_factory.mktemp("ui")) as address:
        yield address


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    browser = find_browser()
    if browser is None:
        pytest.skip("no browser: neither CHROMIUM nor chromium or google-chrome in PATH")
    with open_page(browser) as page:
        yield page


def test_two_runs_are_found_and_compared(page: Page, address: str) -> None:
    page.goto(f"{address}/#/experiments")
    page.get_by_role("link", name="saltseg").click()
    page.get_by_text("Model training", exact=True).click()
    for name in RESULTS:
        page.locator(".ag-row", has_text=name).get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Comparing 2 Runs")).to_be_visible()
    page.get_by_label("Parameters - Show diff only").click()
    page.get_by_label("Metrics - Show diff only").click()
    expect(page.get_by_text("fold_split.n_folds")).to_have_count(0)
    said = page.inner_text("body")
    assert re.search(r"base\.seed\s+(5\s+6|6\s+5)\s", said)
    metrics = said[said.index("Metrics\n") : said.index("Artifacts\n")]
    start = "postprocess-connected-components/"
    assert metrics.count(start) == 3
    assert f"{start}crops" not in metrics
    for result in RESULTS.values():
        for key in ("score", "score_low", "score_high"):
            assert f"{start}{key}\n" in metrics and f"\n{result[key]}\n" in metrics


def test_the_page_of_a_run_opens_with_its_score_and_shows_a_contact_sheet(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/#/experiments/1/runs?workflowType=machine_learning")
    page.get_by_role("link", name="lanky-tern").click()
    score = page.get_by_role("heading", name="Score 0.7500, 95% interval 0.6250 to 0.8750")
    expect(score).to_be_visible()
    page.get_by_text("Show more").click()
    sheet = page.locator("img[src*=test_predictions]")
    expect(sheet).to_be_visible()
    assert sheet.evaluate("image => image.decode().then(() => image.naturalWidth)") == 820
