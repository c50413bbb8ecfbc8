"""`saltseg promote`, `weights` and `export-onnx`: which model is in use, and other uses of it."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors
from saltseg.project.registered_model import CHAMPION


def promote(
    run: Annotated[str, typer.Argument(help="An MLflow run id, or an experiment's name.")],
) -> None:
    """Make the model of a run the champion, which predict uses, if the run verifies.

    The champion is the version of the registered model "saltseg" that carries this alias in MLflow.
    Before the alias moves, everything that the run recorded is checked against its hashes. Nothing
    is copied or trained, and the version before stays: promote its run to go back.
    """
    with one_line_errors():
        from saltseg.serving.promotion import promote as promote_run

        print(promote_run(run, Path()))


def weights(
    model: Annotated[
        str, typer.Argument(help="A model in MLflow's registry, its folder, or a .safetensors.")
    ] = CHAMPION,
    member: Annotated[str | None, typer.Option(help="A member; the first without it.")] = None,
    fold: Annotated[str | None, typer.Option(help="A fold; the first without it.")] = None,
) -> None:
    """Keep a trained model's weights in weights/, for another training to start from."""
    with one_line_errors():
        from saltseg.plumbing.layout import check_project
        from saltseg.serving.starting_weights import keep_weights

        check_project(Path())
        name = keep_weights(model, member, fold, Path()).name
        print(f"weights/{name}: start from it with -S models.NAME.weights={name}")


def export_onnx(
    out: Annotated[Path, typer.Argument(help="The file to write, for example salt.onnx.")],
    model: Annotated[
        str, typer.Option(help="A model in MLflow's registry, or the folder of one.")
    ] = CHAMPION,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an earlier call wrote.")
    ] = False,
) -> None:
    """Write a model as one ONNX file, and check first that it finds the same salt."""
    with one_line_errors():
        from saltseg.serving.onnx_export import export_onnx as export

        agreement = export(model, out, Path(), force)
        print(f"{out}: checked; {agreement}")
