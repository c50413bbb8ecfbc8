"""Teachers in rounds: what each learns from, and how an interrupted one goes on."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.config.params import Params, parse_params
from saltseg.crops.crop_set import CropSet
from saltseg.learning.teacher import label_test, predict_test, train_teacher
from saltseg.learning.training_sets import Sources
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels, no_pseudolabels, select
from tests.conftest import shrunk_content
from tests.helpers.phases import write_schedule

FOLD = 0


@pytest.fixture
def folds(small_crops: CropSet) -> pd.DataFrame:
    ids = small_crops.train["id"]
    return pd.DataFrame({"id": ids, "fold": np.arange(len(ids)) % 2})


def in_rounds(data: str, rounds: int = 2) -> Params:
    """Let teachers of later rounds learn from pseudo-labels first, or from both at once.

    The labels are soft and the steps wide, so that what a teacher learned shows in them.
    """
    content = shrunk_content()
    phase = {**content["pseudolabel"]["phases"][0], "schedule": write_schedule("cosine")}
    first = {**phase, "data": {"mixed": {}} if data == "mixed" else data, "keep": "none"}
    content["pseudolabel"] |= {"rounds": rounds, "soft": True, "phases": [first, phase]}
    return parse_params(content, "params.yaml")


def silent(values: Mapping[str, float], step: int) -> None:
    """Report to nobody."""


def label(crops: CropSet, folds: pd.DataFrame, params: Params, layout: Layout) -> PseudoLabels:
    table = crops.test.assign(black=False)
    return label_test(FOLD, Sources(params, layout, crops, folds), table, silent).labels


def same(one: PseudoLabels, two: PseudoLabels) -> bool:
    assert one.soft is not None and two.soft is not None
    return one.table.equals(two.table) and np.array_equal(one.soft, two.soft)


@pytest.mark.parametrize("data", ["pseudolabels", "mixed", "pooled"])
def test_each_round_learns_from_the_labels_of_the_round_before(
    small_crops: CropSet, folds: pd.DataFrame, tmp_path: Path, data: str
) -> None:
    params = in_rounds(data)
    table = small_crops.test.assign(black=False)

    def one_round(labels: PseudoLabels, number: int) -> PseudoLabels:
        sources = Sources(params, Layout(tmp_path / "by hand"), small_crops, folds)
        trained = train_teacher(FOLD, number, sources, labels, silent)
        assert len(trained.history) == (1 if data == "pseudolabels" and number == 0 else 2)
        probabilities = predict_test(small_crops, trained.snapshots, params, "teacher")
        seed = stream_seed(params.base.seed, "pseudolabel", FOLD)
        return select(table, probabilities, params.pseudolabel, seed)

    first = one_round(no_pseudolabels(), 0)
    second = one_round(first, 1)
    assert same(label(small_crops, folds, params, Layout(tmp_path)), second)
    assert first.soft is not None
    others = one_round(PseudoLabels(first.table, ~first.masks, 255 - first.soft), 1)
    assert not same(second, others)


def test_an_interrupted_round_does_not_repeat_the_rounds_before(
    small_crops: CropSet, folds: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = in_rounds("mixed", rounds=3)
    table = small_crops.test.assign(black=False)
    layout = Layout(tmp_path / "interrupted")
    sources = Sources(params, layout, small_crops, folds)

    def fail_late(values: Mapping[str, float], step: int) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        label_test(FOLD, sources, table, fail_late)
    capsys.readouterr()
    steps: list[int] = []

    def note(values: Mapping[str, float], step: int) -> None:
        steps.append(step)

    taught = label_test(FOLD, sources, table, note)
    assert capsys.readouterr().err.count("going on at epoch 2, batch 0") == 2
    assert steps == [0, 1, 2, 3, 4, 5]
    assert same(taught.labels, label(small_crops, folds, params, Layout(tmp_path)))
    # All rounds' checkpoints stay until the labels are saved: each needs those before it again.
    assert len(taught.checkpoints) == 3
    assert {path for path in layout.checkpoints.iterdir() if path.is_dir()} == set(
        taught.checkpoints
    )
