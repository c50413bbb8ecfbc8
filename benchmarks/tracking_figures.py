"""Draw docs/figures/mlflow_*.png: MLflow's pages of two recorded experiments, in a real browser.

    python -m benchmarks.tracking_figures PROJECT NAME NAME

PROJECT is a checkout in which both experiments have run; docs/tracking.md has the commands.
Needs Chromium, or another browser given in the environment variable CHROMIUM.
"""

import argparse
import io
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from PIL import Image
from playwright.sync_api import FloatRect, Page

from saltseg.plumbing.layout import Layout
from saltseg.tracking import wait_for_recorders
from saltseg.tracking.address import database, database_uri
from saltseg.tracking.store import EXPERIMENT
from tests.helpers.browser import find_browser, open_page
from tests.helpers.servers import mlflow_server

TRAINING = "?workflowType=machine_learning"
"""Selects MLflow's view for model training; the default is the one for language models."""

FIGURES = Path("docs/figures")


def main(project: Path, names: list[str]) -> None:
    """Take one picture of each page."""
    folder = Layout(project).mlruns
    if not database(folder).is_file():  # MLflow would create it
        sys.exit(f"{database(folder)}: no run is recorded here; name a checkout with runs")
    wait_for_recorders(folder)
    address = database_uri(database(folder))
    experiment, runs = find_runs(address, names)
    browser = find_browser()
    if browser is None:
        sys.exit("no browser: install chromium, or name one in the variable CHROMIUM")
    with (
        TemporaryDirectory() as served,
        mlflow_server(address, Path(served)) as server,
        open_page(browser) as page,
    ):
        draw_list(page, f"{server}/#/experiments/{experiment}", names)
        draw_run(page, f"{server}/#/experiments/{experiment}/runs/{runs[-1]}{TRAINING}")
        chosen = f"runs={json.dumps(runs)}&experiments={json.dumps([experiment])}"
        draw_comparison(page, f"{server}/#/compare-runs?{chosen}")


def find_runs(address: str, names: list[str]) -> tuple[str, list[str]]:
    """Return the ids of the experiment and of the runs, which are named after experiments."""
    client = MlflowClient(address)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        sys.exit(f"{address}: no experiment {EXPERIMENT}")
    identity = str(experiment.experiment_id)
    found = {run.info.run_name: run.info.run_id for run in client.search_runs([identity])}
    missing = [name for name in names if name not in found]
    if missing:
        sys.exit(f"{address}: no run is called {missing[0]}")
    return identity, [found[name] for name in names]


def draw_list(page: Page, address: str, names: list[str]) -> None:
    """The experiment's runs."""
    page.goto(f"{address}/runs{TRAINING}")
    for name in names:
        page.get_by_role("link", name=name).wait_for()
    page.locator(".ag-row").first.get_by_role("button").first.click()
    page.wait_for_timeout(3000)
    save(page, "mlflow_runs.png", {"x": 0, "y": 0, "width": 1300, "height": 445})


def draw_run(page: Page, address: str) -> None:
    """The top of a run's page: its description, which starts with the score."""
    page.goto(address)
    page.get_by_text("Show more").click()
    page.locator("img[src*=thumbnails]").last.wait_for()
    page.wait_for_timeout(3000)
    # The column on the right has tags of the machine, which the docs do not need.
    save(page, "mlflow_run.png", {"x": 0, "y": 0, "width": 1045, "height": 1000})


def draw_comparison(page: Page, address: str) -> None:
    """The parameters and the first metrics that differ between two runs."""
    page.goto(address)
    for part in ("Parameters", "Metrics"):
        page.get_by_label(f"{part} - Show diff only").click()
    page.get_by_text("Visualizations").click()
    page.wait_for_timeout(3000)
    save(page, "mlflow_comparison.png", {"x": 198, "y": 0, "width": 1102, "height": 1000})


def save(page: Page, name: str, clip: FloatRect) -> None:
    """Write the part `clip` of the page with 256 colours, which halves the file."""
    picture = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
    few = picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(FIGURES / name, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path, help="checkout in which both experiments have run")
    parser.add_argument("names", nargs=2, metavar="name", help="an experiment's name")
    options = parser.parse_args()
    main(options.project, options.names)
