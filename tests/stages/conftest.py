"""A checkout's files up to the folds, as the learning stages read them."""

from pathlib import Path

import pytest
import yaml

from saltseg.crops.crop_set import CropSet, save_crops
from saltseg.plumbing.layout import Layout
from stages import coverage_stratify, fold_split
from tests.conftest import shrunk_content


@pytest.fixture
def folded(tmp_path: Path, small_crops: CropSet) -> Layout:
    """The small survey with its folds and the shrunk parameters, not recorded in MLflow."""
    layout = Layout(tmp_path)
    layout.params.write_text(yaml.safe_dump(shrunk_content(), sort_keys=False))
    save_crops(layout.data("ingest"), small_crops)
    coverage_stratify.main(tmp_path)
    fold_split.main(tmp_path)
    return layout
