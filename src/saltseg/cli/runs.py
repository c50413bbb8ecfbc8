"""`saltseg reproduce`, `verify`, `diff` and `report`, for recorded runs."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors, printable, printable_lines

Run = Annotated[
    str,
    typer.Argument(
        help="An MLflow run id or its first characters, a DVC experiment, or a git revision."
    ),
]


def reproduce(
    run: Run,
    first: Annotated[
        str | None,
        typer.Option(
            "--from", help="The first stage to run; outputs of earlier stages are taken by hash."
        ),
    ] = None,
    cached: Annotated[
        bool,
        typer.Option("--cached", help="Run only stages whose outputs are not in cache or remote."),
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, help="Largest difference of a metric in another environment."),
    ] = 0.02,
) -> None:
    """Run a recorded run again, and compare every output and metric."""
    if first and cached:
        raise typer.BadParameter(
            "--from forces stages to run, --cached avoids running them: give one"
        )
    with one_line_errors():
        from saltseg.reproduction.records import find_record
        from saltseg.reproduction.repetition import Request
        from saltseg.reproduction.repetition import reproduce as repeat
        from saltseg.reproduction.reports import reproduction_report

        record = find_record(run, Path())
        result = repeat(record, Path(), Request(first, cached))
        print(printable_lines(reproduction_report(record, result, tolerance)))
    if not result.passes(tolerance):
        raise typer.Exit(1)


def verify(run: Run) -> None:
    """Check that everything a run recorded is still in cache or remote, with the same hashes."""
    with one_line_errors():
        from saltseg.reproduction.records import find_record
        from saltseg.reproduction.verification import verify as check

        record = find_record(run, Path())
        findings = check(record, Path())
    for finding in findings:
        print(printable(str(finding)))
    if findings:
        raise typer.Exit(1)
    print(f"{run}: everything it recorded is there and matches its hashes{record.gap}")


def diff(first: Run, second: Run) -> None:
    """Show what differs between two runs, from parameters to metrics."""
    with one_line_errors():
        from saltseg.reproduction.differences import differences
        from saltseg.reproduction.records import find_record
        from saltseg.reproduction.reports import difference_report

        records = find_record(first, Path()), find_record(second, Path())
        report = difference_report(*records, differences(*records, Path()))
        print(printable_lines(report))


def report(
    runs: Annotated[
        list[str],
        typer.Argument(help="Runs, each as for 'saltseg verify'; two or more stand side by side."),
    ],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    force: Annotated[
        bool, typer.Option("--force", help="Replace a page that an earlier call wrote.")
    ] = False,
) -> None:
    """Write a page on one recorded run, or on several side by side."""
    with one_line_errors():
        from saltseg.plumbing.outputs import written_output
        from saltseg.reproduction.run_pages import runs_page

        with written_output(out, [], force) as path:
            path.write_text(runs_page(runs, Path()), encoding="utf-8")
    print(f"{out}: {', '.join(runs)}")
