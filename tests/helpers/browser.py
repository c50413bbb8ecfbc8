"""Chromium without a screen, on the pages of a server of this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")

_FLAGS = [
    "--no-sandbox",  # root, as in a container, has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_CALM = """
localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
localStorage.setItem('mlflow.detectIssues.guidanceShown_v1', 'true');
"""
"""What MLflow's pages remember once a person has closed what they open unasked."""

_PATIENCE = 120_000  # milliseconds


def find_browser() -> Path | None:
    """Return the browser that CHROMIUM names, or an installed one."""
    names = (os.environ["CHROMIUM"],) if "CHROMIUM" in os.environ else _NAMES
    return next((Path(found) for name in names if (found := shutil.which(name))), None)


@contextmanager
def open_page(browser: Path) -> Iterator[Page]:
    """Start the browser and yield an empty page."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=_FLAGS)
        page = running.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        page.add_init_script(_CALM)
        yield page
        running.close()


@contextmanager
def offline_page(*allowed: str) -> Iterator[Page]:
    """Yield a page; on leaving, check that no script failed and that only `allowed` was asked for.

    allowed: beginnings of addresses, such as "file:". Skips the test where there is no browser.
    """
    browser = find_browser()
    if browser is None:
        pytest.skip("no browser: neither CHROMIUM nor chromium or google-chrome in PATH")
    with open_page(browser) as page:
        faults: list[str] = []
        asked_for: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: asked_for.append(asked.url))
        yield page
        assert faults == []
        assert [url for url in asked_for if not url.startswith(allowed)] == []
