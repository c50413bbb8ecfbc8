"""The vote of several submissions, and their scores side by side."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.errors import InputError
from saltseg.scoring import metric
from saltseg.scoring.blend import blend_submissions
from saltseg.scoring.submission import read_masks, score_submissions, write_masks

IDS = ["c3", "a1", "b2", "d4"]


@pytest.fixture
def masks() -> np.ndarray:
    """Four submissions of four crops: shape (4, 4, 101, 101)."""
    generator = np.random.default_rng(5)
    return generator.random((4, 4, 101, 101)) < generator.random((1, 4, 1, 1))


@pytest.fixture
def paths(tmp_path: Path, masks: np.ndarray) -> list[Path]:
    """The files of the submissions, each in an order of its own."""
    paths = []
    for number, own in enumerate(masks):
        order = np.roll(np.arange(len(IDS)), number)
        path = tmp_path / f"{number}.csv"
        write_masks(path, [IDS[at] for at in order], own[order])
        paths.append(path)
    return paths


@pytest.mark.parametrize("count", [2, 3, 4])
def test_salt_is_what_most_call_salt_and_ties_go_to_the_first(
    paths: list[Path], masks: np.ndarray, tmp_path: Path, count: int
) -> None:
    out = tmp_path / "vote.csv"
    found = blend_submissions(paths[:count], out)
    votes = masks[:count].sum(axis=0)
    tied = votes == count / 2
    expected = np.where(tied, masks[0], votes > count / 2)
    assert (read_masks(out, IDS) == expected).all()
    assert [line.split(",")[0] for line in out.read_text().splitlines()[1:]] == IDS
    assert (found.ties, found.tied_crops) == (tied.sum(), tied.any(axis=(1, 2)).sum())
    assert found.changed == (expected != masks[0]).any(axis=(1, 2)).sum()


def test_one_that_is_named_twice_votes_twice(paths: list[Path], tmp_path: Path) -> None:
    blend_submissions([paths[1], paths[2], paths[1]], tmp_path / "vote.csv")
    assert (read_masks(tmp_path / "vote.csv", IDS) == read_masks(paths[1], IDS)).all()


def test_other_ids_and_a_single_submission_are_refused(paths: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("id,rle_mask\na1,\nb2,\nc3,\n")
    with pytest.raises(InputError, match=r"other\.csv: 1 id missing: d4; .* first submission"):
        blend_submissions([paths[0], other], tmp_path / "vote.csv")
    with pytest.raises(InputError, match="needs two submissions"):
        blend_submissions(paths[:1], tmp_path / "vote.csv")
    assert not (tmp_path / "vote.csv").exists()


def test_the_command_says_how_ties_went_and_replaces_only_its_own(
    paths: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "vote.csv"
    arguments = ["blend", *map(str, paths[:2]), "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert f"{out}: valid; 4 crops, 0 without salt" in done.output
    assert f"tied pixels in 4 crops: as in {paths[0]}" in done.output
    first = out.read_bytes()
    assert CliRunner().invoke(app, arguments).exit_code == 1
    assert CliRunner().invoke(app, [*arguments, "--force"]).exit_code == 0
    assert out.read_bytes() == first
    over = CliRunner().invoke(app, ["blend", *map(str, paths[:2]), "--out", str(paths[0])])
    assert over.exit_code == 1 and "both input and output" in over.output


def test_scores_of_several_with_what_they_gain_on_the_first(
    paths: list[Path], masks: np.ndarray
) -> None:
    found = score_submissions([paths[3], *paths], paths[3], np.random.default_rng(1))
    assert found[0].mean == 1 and found[0].gain == (0, 0, 0)
    assert found[4].gain == (0, 0, 0)
    for score, own in zip(found[1:], masks, strict=True):
        assert score.mean == pytest.approx(metric.precision(own, masks[3]).mean())
        assert score.gain[0] == pytest.approx(score.mean - 1)
        assert score.gain[1] <= score.gain[0] <= score.gain[2]
    done = CliRunner().invoke(app, ["score", *map(str, paths), "--truth", str(paths[3])])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0].split()[:2] == ["submission", "score"]
    gain = 1 - metric.precision(masks[0], masks[3]).mean()
    assert lines[4].startswith(str(paths[3])) and f" {gain:+.4f} " in lines[4]
