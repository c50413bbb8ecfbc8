"""`saltseg reproduce`, `verify` and `diff`: what runs recorded, and whether it holds."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors, printable, printable_lines

Run = Annotated[
    str,
    typer.Argument(
        help="An MLflow run id or its start, the name of a DVC experiment, or a git revision."
    ),
]


def reproduce(
    run: Run,
    first: Annotated[
        str | None,
        typer.Option("--from", help="The first stage to run; what is above is taken by its hash."),
    ] = None,
    cached: Annotated[
        bool, typer.Option("--cached", help="Run only what cache and remote do not have.")
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, help="How far metrics may be off in another environment."),
    ] = 0.02,
) -> None:
    """Do a run again from its hashes, and say whether every output and metric is the same."""
    if first and cached:
        raise typer.BadParameter("--from forces stages to run, --cached keeps them from it")
    from saltseg.project.dvc_process import interrupt_when_told

    interrupt_when_told()
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
    """Check that all that a run recorded is still in cache or remote, and matches its hashes."""
    with one_line_errors():
        from saltseg.reproduction.records import find_record
        from saltseg.reproduction.verification import verify as check

        record = find_record(run, Path())
        findings = check(record, Path())
    for finding in findings:
        print(printable(str(finding)))
    if findings:
        raise typer.Exit(1)
    print(f"{run}: all that it recorded is there and matches its hashes{record.gap}")


def diff(first: Run, second: Run) -> None:
    """Say what made two runs different, from parameters to metrics."""
    with one_line_errors():
        from saltseg.reproduction.differences import differences
        from saltseg.reproduction.records import find_record
        from saltseg.reproduction.reports import difference_report

        records = find_record(first, Path()), find_record(second, Path())
        report = difference_report(*records, differences(*records, Path()))
        print(printable_lines(report))
