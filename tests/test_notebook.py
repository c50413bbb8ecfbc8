"""The notebook of docs/ runs from its first cell to its picture."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from tests.conftest import PROJECT


@pytest.mark.slow
def test_the_notebook_goes_from_survey_to_picture(
    trained: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_model(trained, tmp_path / "model")
    monkeypatch.setenv("SALTSEG_MODEL", str(tmp_path / "model"))
    notebook = nbformat.read(PROJECT / "docs/survey-to-picture.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    shown = [each for cell in notebook.cells for each in cell.get("outputs", [])]
    assert "image/png" in shown[-1]["data"]
    assert shown[-2]["data"]["text/plain"].startswith("'score 0.")
