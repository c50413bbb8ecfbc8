"""The real params.yaml, shrunk until a pipeline runs in seconds."""

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Small networks gain nothing from threads, and on a busy machine threads wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import yaml

from saltseg.config.params import Params, parse_params
from saltseg.crops.crop_set import CropSet
from saltseg.plumbing.layout import Layout
from saltseg.survey import SurveySet, generate
from tests.helpers.made_once import made_once
from tests.helpers.phases import set_epochs

if TYPE_CHECKING:
    from tests.helpers.checkout import Checkout

PROJECT = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: a shell's background jobs, and theirs, ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def shrunk_content() -> dict[str, Any]:
    """Read params.yaml and make everything in it that costs time small."""
    content: dict[str, Any] = yaml.safe_load((PROJECT / "params.yaml").read_text())
    content["survey"] |= {"train": 24, "test": 12}
    content["runtime"]["threads"] = 1
    content["fold_split"]["n_folds"] = 2
    content["models"]["class_unet"]["filters"] = 2
    content["training"]["batch_size"] = 8
    content["train_per_fold"] |= {"members": ["class_unet"], "folds": [0, 1]}
    content["pseudolabel"] |= {"teacher": "class_unet", "min_confidence": 0.0, "empty_share": 1.0}
    content["pseudolabel"]["small_min_confidence"] = 0.0
    set_epochs(content, 1, "pseudolabel", "train_per_fold")
    content["threshold_search"]["bootstrap"] = 50
    content["submit"]["examples"] = 8
    return content


@pytest.fixture
def shrunk_params() -> Params:
    """The shrunk parameters, checked."""
    return parse_params(shrunk_content(), "params.yaml")


@pytest.fixture(scope="session")
def small_survey() -> SurveySet:
    """The survey of the shrunk parameters; not to be changed."""
    return generate(train=24, test=12, seed=2018, workers=0)


@pytest.fixture(scope="session")
def small_crops(small_survey: SurveySet) -> CropSet:
    """The crops of the small survey; not to be changed."""
    return small_survey.crops


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, small_crops: CropSet) -> Layout:
    """A tiny pipeline that has run to its end; not to be changed."""
    from tests.helpers.trained import run_untrained

    def make(folder: Path) -> None:
        run_untrained(folder, small_crops)

    return Layout(made_once(tmp_path_factory, "trained", make))


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple["Checkout", "Checkout"]:
    """Two checkouts with one recorded run of the pipeline each; not to be changed.

    They ran at once: one by `dvc repro`, one by `saltseg train`, with other numbers of workers.
    """
    from tests.helpers.twins import make_twins, twins_in

    return twins_in(made_once(tmp_path_factory, "twins", make_twins))
