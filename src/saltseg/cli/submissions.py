"""`saltseg check`, `score`, `blend`, `upload` and `uploads`, for submissions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.layout import Layout

if TYPE_CHECKING:
    from saltseg.scoring.submission import Score

_LAYOUT = Layout(Path())
_SAMPLE = _LAYOUT.data("submit") / "sample_submission.csv"
_TRUTH = _LAYOUT.truth / "test.csv"

Sample = Annotated[Path, typer.Option(help="Kaggle's sample_submission.csv.")]


def check(
    submission: Annotated[Path, typer.Argument(help="The submission to check.")],
    sample: Sample = _SAMPLE,
) -> None:
    """Check that Kaggle will accept a submission: ids, format and masks."""
    from saltseg.scoring.submission import check_submission

    with one_line_errors():
        _require([submission], sample, "--sample")
        checked = check_submission(submission, sample)
    order = "" if checked.in_order else "; in another order than the sample, as Kaggle allows"
    print(f"{submission}: valid; {checked.crops:,} crops, {checked.empty:,} without salt{order}")


def score(
    submissions: Annotated[
        list[Path], typer.Argument(help="Submissions to score; several make a table.")
    ],
    truth: Annotated[Path, typer.Option(help="The true masks, in the same format.")] = _TRUTH,
) -> None:
    """Score submissions against known masks, as Kaggle does."""
    from saltseg.plumbing.seeds import generator
    from saltseg.reports.summary import describe_score
    from saltseg.scoring.submission import score_submissions

    with one_line_errors():
        _require(submissions, truth, "--truth")
        scored = score_submissions(submissions, truth, generator(0, "score"))
    if len(scored) > 1:
        _print_scores(submissions, scored)
        return
    known = describe_score(scored[0].mean, scored[0].low, scored[0].high)
    print(f"{submissions[0]}: {known}, {scored[0].crops:,} crops, resampled one by one")


def _require(submissions: list[Path], reference: Path, option: str) -> None:
    """Raise InputError if a file is missing: the arguments first, then what they are held against.

    option: the one that names `reference`, whose default is there after a run alone.
    """
    from saltseg.plumbing.files import check_regular
    from saltseg.plumbing.zips import MOST

    for path in submissions:
        check_regular(path, MOST)
    if not reference.exists():
        raise InputError(f"{reference}: there is no such file; name one with {option}")


def _print_scores(submissions: "list[Path]", scored: "list[Score]") -> None:
    from saltseg.plumbing.tables import table

    heads = ["submission", "score", "95% interval", "more than the first", "95% interval"]
    rows = [
        [
            str(path),
            f"{each.mean:.4f}",
            f"{each.low:.4f} to {each.high:.4f}",
            f"{each.gain[0]:+.4f}" if at else "",
            f"{each.gain[1]:+.4f} to {each.gain[2]:+.4f}" if at else "",
        ]
        for at, (path, each) in enumerate(zip(submissions, scored, strict=True))
    ]
    print(table(heads, rows, numbers=4))
    print(f"{scored[0].crops:,} crops")


def blend(
    submissions: Annotated[
        list[Path], typer.Argument(help="Two or more submissions, the best first.")
    ],
    out: Annotated[Path, typer.Option(help="The submission to write.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that an earlier call wrote.")
    ] = False,
) -> None:
    """Blend submissions: a vote of their masks, pixel by pixel; ties go to the first.

    Salt is what more than half of the submissions call salt. One that is named twice votes twice.
    """
    from saltseg.plumbing.outputs import written_output
    from saltseg.scoring.blend import blend_submissions

    with one_line_errors(), written_output(out, submissions, force) as path:
        found = blend_submissions(submissions, path)
    print(f"{out}: valid; {found.checked.crops:,} crops, {found.checked.empty:,} without salt")
    print(f"{found.changed:,} crops differ from {submissions[0]}")
    if found.ties:
        print(f"{found.ties:,} tied pixels in {found.tied_crops:,} crops: as in {submissions[0]}")


def upload(
    message: Annotated[str, typer.Option(help="Kaggle shows it beside the score.")] = "saltseg",
) -> None:
    """Check data/submit/submission.csv, upload it with the official kaggle client, and log it.

    Kaggle shows the message with the start of the file's hash, by which 'saltseg uploads' finds it.
    """
    with one_line_errors():
        from saltseg.serving.uploads import upload_submission

        print(upload_submission(_LAYOUT, message))
    print(f"noted in {_LAYOUT.uploads}; 'saltseg uploads' asks Kaggle for its score")


def uploads(
    offline: Annotated[
        bool, typer.Option("--offline", help="Show what is known, without asking Kaggle.")
    ] = False,
) -> None:
    """Show the uploaded submissions: Kaggle's public and private scores beside the nested."""
    with one_line_errors():
        from saltseg.serving.uploads import describe_log, read_log, refresh_log

        log = read_log(_LAYOUT)
        print(describe_log(log if offline or log.empty else refresh_log(_LAYOUT)))
