"""`saltseg ablate`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors


def ablate(
    base: Annotated[
        str, typer.Argument(help="A recipe, or params.yaml for the parameters as they stand.")
    ],
    vary: Annotated[
        list[str],
        typer.Option(help="KEY=A,B,C: a variant for each value. 'KEY=A & OTHER=B': one of both."),
    ],
    override: Annotated[
        list[str] | None, typer.Option("-S", help="KEY=VALUE, for base and variants alike.")
    ] = None,
    folds: Annotated[
        str | None, typer.Option(help="Folds to train, as in 0,1; the base's own without it.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Values of base.seed, as in 1,2,3; the base's without it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the table, as Markdown.")] = None,
) -> None:
    """Measure what changes to a recipe do to its nested score, each alone, in pairs with it."""
    numbers = _numbers(folds, "--folds"), _numbers(seeds, "--seeds")
    from saltseg.ablation import Request, log_report
    from saltseg.ablation import ablate as run
    from saltseg.plumbing.files import write_text
    from saltseg.project.dvc_process import interrupt_when_told

    logging.disable(logging.INFO)  # a new database's tables are nobody's news
    interrupt_when_told()
    with one_line_errors():
        report = run(Path(), Request(base, vary, override or [], *numbers))
        print(report.markdown(), end="", flush=True)
        if out is not None:
            write_text(out, report.markdown())
        log_report(Path(), report)


def _numbers(text: str | None, option: str) -> list[int]:
    """Read whole numbers, parted by commas; none where nothing is given."""
    if text is None:
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r}: give whole numbers, as in 0,1", param_hint=option)
    return [int(part) for part in parts]
