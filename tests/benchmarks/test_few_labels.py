"""Both starts learn from the same few crops, as many of them, with the same network."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.few_labels import MEMBER, few, planned, shortened
from saltseg.config.params import Params
from saltseg.models import create_model
from saltseg.models.survey_model import survey_weights
from saltseg.plumbing.errors import InputError
from tests.conftest import PROJECT

FOLDS = pd.DataFrame({"id": [f"{row:03d}" for row in range(100)], "fold": [*range(5)] * 20})


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Params:
    monkeypatch.chdir(PROJECT)
    return planned("survey", 1)


def test_fewer_crops_are_some_of_more() -> None:
    small, large = (set(few(FOLDS, 1, count)["id"]) for count in (10, 30))
    fold = set(FOLDS.loc[FOLDS["fold"] == 1, "id"])
    assert fold < small < large and (len(small), len(large)) == (30, 50)
    assert few(FOLDS, 1, 10).equals(few(FOLDS, 1, 10))


def test_more_crops_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match="--counts: 81, but 80 crops lie outside fold 1"):
        few(FOLDS, 1, 81)


@pytest.mark.parametrize("count", [50, 200, 800])
def test_few_crops_are_seen_as_often_as_many(plan: Params, count: int) -> None:
    phases = shortened(plan, count, 8000).train_per_fold.phases
    assert sum(phase.planned_epochs for phase in phases) * count == pytest.approx(8000, rel=0.11)


def test_the_model_that_comes_with_saltseg_fits(plan: Params, tmp_path: Path) -> None:
    network = create_model(plan.models[MEMBER], 0, tmp_path)
    shipped = survey_weights()
    own = network.state_dict()
    assert all(own[name].equal(shipped[name].to(own[name].dtype)) for name in shipped)
