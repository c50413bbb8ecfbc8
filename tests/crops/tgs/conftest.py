"""A small survey in Kaggle's layout, zipped and unpacked, to be read and to be broken."""

import shutil
from pathlib import Path

import pytest

from saltseg.survey import SurveySet, generate, write_kaggle_layout


@pytest.fixture(scope="session")
def survey() -> SurveySet:
    return generate(24, 8, seed=1, workers=1)


@pytest.fixture(scope="session")
def pristine(survey: SurveySet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `zipped` and `unpacked`, that no test may change."""
    folder = tmp_path_factory.mktemp("kaggle")
    write_kaggle_layout(folder / "zipped", survey, zipped=True)
    write_kaggle_layout(folder / "unpacked", survey, zipped=False)
    return folder


@pytest.fixture
def zipped(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine / "zipped", tmp_path / "raw")


@pytest.fixture
def unpacked(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine / "unpacked", tmp_path / "raw")
