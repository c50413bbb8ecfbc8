"""`saltseg ablate`."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from saltseg.cli.cluster_options import Ray, States, check_states
from saltseg.plumbing.errors import InputError, one_line_errors

if TYPE_CHECKING:
    from saltseg.ablation.trials import RunTrials

Base = Annotated[str, typer.Argument(help="A recipe, or params.yaml for the current parameters.")]
Vary = Annotated[
    list[str],
    typer.Option(help="KEY=A,B,C: a variant for each value. 'KEY=A & OTHER=B': one variant."),
]
Override = Annotated[
    list[str] | None, typer.Option("-S", "--set-param", help="KEY=VALUE, for base and variants.")
]
Folds = Annotated[
    str | None,
    typer.Option(help="Folds to train, such as 0,1; by default the base's that are not locked."),
]
Seeds = Annotated[
    str | None, typer.Option(help="Values of base.seed, such as 1,2,3; the base's by default.")
]
Match = Annotated[
    Literal["cost"] | None,
    typer.Option(help="cost: fewer or more epochs give every variant the base's PFLOP."),
]
Halving = Annotated[
    bool,
    typer.Option(
        "--halving", help="Train all variants briefly, the better half longer, the best in full."
    ),
]
TrainCrops = Annotated[
    int | None,
    typer.Option(min=2, show_default="survey.train, or 4000", help="Training crops for PFLOP."),
]
PseudoLabels = Annotated[
    int | None,
    typer.Option(
        min=0,
        show_default="survey.test, or 15493",
        help="Pseudo-labelled crops of a fold for PFLOP.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="Markdown file for the table.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing table.")]


def ablate(
    base: Base,
    vary: Vary,
    override: Override = None,
    folds: Folds = None,
    seeds: Seeds = None,
    match: Match = None,
    halving: Halving = False,
    train: TrainCrops = None,
    pseudolabels: PseudoLabels = None,
    out: Out = None,
    force: Force = False,
    ray: Ray = None,
    states: States = None,
) -> None:
    """Measure the effect of single changes to a recipe on its score, in pairs."""
    numbers = _numbers(folds, "--folds"), _numbers(seeds, "--seeds")
    check_states(ray, states)
    from saltseg.ablation import Request, log_report
    from saltseg.ablation import ablate as run
    from saltseg.plumbing.files import write_text

    with one_line_errors():
        with _place_for_table(out, force) as place:
            asked = Request(
                base, vary, override or [], *numbers, match, halving, train, pseudolabels
            )
            report = run(Path(), asked, _how(ray, states))
            print(report.markdown(), end="", flush=True)
            if place:
                write_text(place, report.markdown())
        log_report(Path(), report)


def _how(ray: str | None, states: Path | None) -> "RunTrials":
    """Return what runs the trials."""
    from saltseg.ablation.trials import run_in_turn

    if ray is None:
        return run_in_turn
    from saltseg.cluster.trials import run_on_cluster

    return partial(run_on_cluster, address=ray, states=states)


def _place_for_table(out: Path | None, force: bool) -> AbstractContextManager[Path | None]:
    """Open the place for the table, if one is wanted: it is checked before hours of work."""
    from saltseg.plumbing.outputs import written_output

    if out is None:
        return nullcontext()
    if out.is_dir():
        raise InputError(f"--out: {out} is a folder; give a file in it")
    return written_output(out, [], force)


def _numbers(text: str | None, option: str) -> list[int]:
    """Parse whole numbers separated by commas; [] for None."""
    if text is None:
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r}: give whole numbers, such as 0,1", param_hint=option)
    return [int(part) for part in parts]
