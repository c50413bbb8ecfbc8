"""The command line: what a person calls beside `dvc repro`."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.errors import one_line_errors

SUBMITTED = Path("data/submit")

Sample = Annotated[Path, typer.Option(help="Kaggle's sample_submission.csv.")]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def main() -> None:
    """Find salt in seismic images, reproducibly."""


@app.command()
def survey(
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    train: Annotated[int, typer.Option(min=1, help="Train crops.")] = 1000,
    test: Annotated[int, typer.Option(min=1, help="Test crops.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another survey.")] = 2018,
    sections: Annotated[int, typer.Option(min=0, help="Whole sections to write, as .npy.")] = 0,
    zipped: Annotated[bool, typer.Option(help="Zip the images as Kaggle does.")] = True,
    workers: Annotated[int, typer.Option(min=0, help="Processes; never change a byte.")] = 2,
) -> None:
    """Make a synthetic survey in Kaggle's layout, with its truths in OUT/truth."""
    from saltseg.survey import generate, write_kaggle_layout, write_sections

    with one_line_errors():
        write_kaggle_layout(out, generate(train, test, seed, workers), zipped)
        if sections:
            write_sections(out / "sections", seed, sections)


@app.command()
def check(
    submission: Annotated[Path, typer.Argument(help="The submission to check.")],
    sample: Sample = SUBMITTED / "sample_submission.csv",
) -> None:
    """Check that Kaggle will take a submission: its ids, its form, its masks."""
    from saltseg.submission import check_submission

    with one_line_errors():
        checked = check_submission(submission, sample)
    order = "" if checked.in_order else "; in another order than the sample, as Kaggle allows"
    print(f"{submission}: right; {checked.crops:,} crops, {checked.empty:,} without salt{order}")


@app.command()
def summary() -> None:
    """Say what the last run of the pipeline came to, and where its files are."""
    from saltseg.layout import Layout
    from saltseg.summary import summary as summarise

    with one_line_errors():
        print(summarise(Layout(Path())))


@app.command()
def score(
    submission: Annotated[Path, typer.Argument(help="The submission to score.")],
    truth: Annotated[Path, typer.Option(help="The true masks, in the same form.")] = Path(
        "data/truth/test.csv"
    ),
) -> None:
    """Score a submission against known masks, as Kaggle does."""
    from saltseg.seeds import generator
    from saltseg.submission import score_submission

    with one_line_errors():
        scored = score_submission(submission, truth, generator(0, "score"))
    interval = f"95% interval {scored.low:.4f} to {scored.high:.4f}"
    print(f"{submission}: {scored.mean:.4f}, {interval}, {scored.crops:,} crops")


@app.command()
def upload(
    message: Annotated[str, typer.Option(help="Kaggle shows it beside the score.")] = "saltseg",
) -> None:
    """Check data/submit/submission.csv and send it with the official kaggle client."""
    from saltseg.submission import send_submission

    with one_line_errors():
        submission, sample = SUBMITTED / "submission.csv", SUBMITTED / "sample_submission.csv"
        print(send_submission(submission, sample, message))
