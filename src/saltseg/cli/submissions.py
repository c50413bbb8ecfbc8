"""`saltseg check`, `score`, `upload` and `summary`: what the pipeline handed in."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout

_LAYOUT = Layout(Path())
_SUBMISSION = _LAYOUT.data("submit") / "submission.csv"
_SAMPLE = _LAYOUT.data("submit") / "sample_submission.csv"
_TRUTH = _LAYOUT.truth / "test.csv"

Sample = Annotated[Path, typer.Option(help="Kaggle's sample_submission.csv.")]


def check(
    submission: Annotated[Path, typer.Argument(help="The submission to check.")],
    sample: Sample = _SAMPLE,
) -> None:
    """Check that Kaggle will take a submission: its ids, its form, its masks."""
    from saltseg.scoring.submission import check_submission

    with one_line_errors():
        checked = check_submission(submission, sample)
    order = "" if checked.in_order else "; in another order than the sample, as Kaggle allows"
    print(f"{submission}: right; {checked.crops:,} crops, {checked.empty:,} without salt{order}")


def score(
    submission: Annotated[Path, typer.Argument(help="The submission to score.")],
    truth: Annotated[Path, typer.Option(help="The true masks, in the same form.")] = _TRUTH,
) -> None:
    """Score a submission against known masks, as Kaggle does."""
    from saltseg.plumbing.seeds import generator
    from saltseg.reports.summary import describe_score
    from saltseg.scoring.submission import score_submission

    with one_line_errors():
        scored = score_submission(submission, truth, generator(0, "score"))
    known = describe_score(scored.mean, scored.low, scored.high)
    print(f"{submission}: {known}, {scored.crops:,} crops")


def upload(
    message: Annotated[str, typer.Option(help="Kaggle shows it beside the score.")] = "saltseg",
) -> None:
    """Check data/submit/submission.csv and send it with the official kaggle client."""
    from saltseg.serving.kaggle import send_submission

    with one_line_errors():
        print(send_submission(_SUBMISSION, _SAMPLE, message))


def summary() -> None:
    """Say what the last run of the pipeline came to, and where its files are."""
    from saltseg.reports.summary import summary as summarise

    with one_line_errors():
        print(summarise(_LAYOUT))
