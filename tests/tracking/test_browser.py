"""MLflow's pages in a real browser, on a store that recorders have filled."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from saltseg.plumbing.files import read_json, write_json
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.project.run_files import files_of_folder
from saltseg.reports.contact_sheet import Group, contact_sheet
from saltseg.reports.summary import score_in
from saltseg.tracking.logged_model import record_model
from saltseg.tracking.run_list import address_of_runs
from saltseg.tracking.run_origin import RECIPE
from tests.helpers.browser import find_browser, open_page
from tests.helpers.servers import mlflow_server
from tests.tracking.conftest import DVC_YAML, SOURCE, client_of, commit_all, runs, start_stage

pytestmark = pytest.mark.long  # a server, a browser, and recorders that import MLflow

RESULTS = {
    "plump-newt": {"crops": 60, "score": 0.625, "score_low": 0.5, "score_high": 0.75},
    "lanky-tern": {"crops": 60, "score": 0.75, "score_low": 0.625, "score_high": 0.875},
}
"""The final scores of two experiments."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, migrated: Path, trained: Layout) -> Path:
    """A project with the runs of two experiments, which differ in their seed and their score.

    The second one has a registered model.
    """
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
        write_json(root / "results" / "score.json", result | {"test_score": 0.5})
        stage = start_stage(root, f"run.metrics({result})", name, DVC_EXP_NAME=experiment)
        assert stage.communicate(timeout=120)[1] == ""
        runs(root)
    client = client_of(root)
    (run,) = client.search_runs(["1"], "attributes.run_name = 'lanky-tern'")
    client.set_tag(run.info.run_id, RECIPE, "demo")
    export_model(trained, root / "exported")
    record_model(client, run.info.run_id, root / "exported", files_of_folder(trained.root))
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


def test_the_list_of_runs_has_the_columns_to_compare(page: Page, address: str) -> None:
    page.goto(address_of_runs(address, "1"))
    for column in ("score", "score_low", "score_high", "test_score", "recipe", "base.seed"):
        expect(page.get_by_role("columnheader", name=column, exact=True).first).to_be_visible()
    for value in ("0.75", "0.625", "0.875", "0.5", "6", "demo"):
        expect(page.get_by_role("gridcell", name=value, exact=True).first).to_be_visible()


def test_the_models_tab_has_the_metrics_and_the_version(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 2600, "height": 1000})  # the grid draws what is in view
    page.goto(f"{address}/#/experiments/1/models?workflowType=machine_learning")
    for column in ("score", "score_low", "score_high", "test_score"):
        expect(page.get_by_role("columnheader", name=column, exact=True).first).to_be_visible()
    expect(page.get_by_role("gridcell", name="0.875", exact=True)).to_be_visible()
    expect(page.get_by_role("gridcell").get_by_text("v1", exact=True)).to_be_visible()


def test_the_page_of_a_version_shows_its_card(page: Page, address: str, trained: Layout) -> None:
    page.goto(f"{address}/#/models/saltseg/versions/1")
    score = score_in(read_json(trained.score), "score")
    expect(page.get_by_role("heading", name=f"Score {score}")).to_be_visible()
    expect(page.get_by_role("heading", name="Limits")).to_be_visible()
    expect(page.locator("pre code")).to_contain_text('saltseg.load("models:/saltseg/1")')
    sheet = page.locator("img[src*=test_predictions]")
    expect(sheet).to_be_visible()
    assert sheet.evaluate("image => image.decode().then(() => image.naturalWidth)") == 820
