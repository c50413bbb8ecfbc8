"""`saltseg promote` and `saltseg predict`: using a trained pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors


def promote(
    run: Annotated[str, typer.Argument(help="An MLflow run id, or an experiment's name.")],
) -> None:
    """Make the model of a run the champion, if the run verifies."""
    with one_line_errors():
        from saltseg.serving.promotion import promote as promote_run

        print(promote_run(run, Path()))


def predict(
    images: Annotated[list[Path], typer.Argument(help="Grey PNG, TIFF or .npy of any size.")],
    out: Annotated[Path, typer.Option(help="Folder for masks, probabilities and overlays.")],
    model: Annotated[
        str, typer.Option(help="A model in MLflow's registry, or the folder of one.")
    ] = "models:/saltseg@champion",
    depth: Annotated[
        float | None, typer.Option(help="Depth of the images in feet, for models that read it.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an earlier call wrote into the folder.")
    ] = False,
) -> None:
    """Find salt in images of any size, by overlapping tiles."""
    with one_line_errors():
        from saltseg.serving.image_prediction import predict_files

        predict_files(images, model, out, depth, Path(), force)
