"""`import saltseg`: its public names, and that nothing is imported before it is used."""

import subprocess
import sys

import numpy as np
import pytest

import saltseg
from saltseg.scoring import rle

HEAVY = {"cv2", "dvc", "matplotlib", "mlflow", "numpy", "pandas", "pydantic", "torch", "typer"}


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import saltseg; dir(saltseg); saltseg.InputError", set()),
        ("import saltseg; saltseg.rle.encode", {"numpy"}),
        ("import saltseg; saltseg.score", {"cv2", "numpy"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str, needed: set[str]) -> None:
    code = f"{code}; import sys; print(*{HEAVY!r} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == needed


def test_every_public_name_is_there_and_documented() -> None:
    assert dir(saltseg) == saltseg.__all__
    for name in saltseg.__all__:
        assert getattr(saltseg, name).__doc__, name
    with pytest.raises(AttributeError, match="module 'saltseg' has no attribute 'scores'"):
        saltseg.scores  # noqa: B018


def test_a_score_is_the_mean_over_crops() -> None:
    truth = np.zeros((3, 10, 10), bool)
    truth[1, :4] = truth[2, :4] = True
    masks = truth.copy()
    masks[2, 3] = False  # three rows of four: 0.75 exceeds five thresholds, .50 to .70
    assert saltseg.score(masks, truth) == pytest.approx((1 + 1 + 0.5) / 3)
    assert saltseg.score(masks[2], truth[2]) == 0.5


@pytest.mark.parametrize(
    ("masks", "truth", "said"),
    [
        (np.zeros((1, 4, 4)), np.zeros((1, 4, 4), bool), "masks: hold float64, not truth values"),
        (np.zeros((1, 4, 4), bool), np.zeros((1, 4, 4), np.uint8), "truth: hold uint8"),
        (np.zeros((2, 4, 4), bool), np.zeros((1, 4, 4), bool), r"the truth \(1, 4, 4\)"),
        (np.zeros((0, 4, 4), bool), np.zeros((0, 4, 4), bool), r"have shape \(0, 4, 4\)"),
        (np.zeros(4, bool), np.zeros(4, bool), r"have shape \(4,\)"),
    ],
)
def test_what_cannot_be_scored_is_told(masks: np.ndarray, truth: np.ndarray, said: str) -> None:
    with pytest.raises(saltseg.InputError, match=said):
        saltseg.score(masks, truth)


def test_the_public_modules_are_the_pipelines() -> None:
    masks = np.eye(101, dtype=bool)[None]
    assert saltseg.rle.decode(saltseg.rle.encode(masks))[0].tolist() == masks[0].tolist()
    assert saltseg.rle is rle
    survey = saltseg.survey.generate(train=2, test=1)
    assert survey.crops.train_images.shape == (2, 101, 101) and survey.test_masks.dtype == bool
    assert saltseg.survey.make_section(seed=7, number=0).amplitude.ndim == 2
