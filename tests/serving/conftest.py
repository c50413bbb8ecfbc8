"""The trained pipeline, exported for the tests of what serves it."""

from pathlib import Path

import pytest

from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model


@pytest.fixture(scope="module")
def exported(trained: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an exported model; not to be changed."""
    folder = tmp_path_factory.mktemp("exported")
    export_model(trained, folder)
    return folder
