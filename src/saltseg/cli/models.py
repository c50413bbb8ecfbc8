"""`saltseg promote`: which trained pipeline is in use."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors


def promote(
    run: Annotated[str, typer.Argument(help="An MLflow run id, or an experiment's name.")],
) -> None:
    """Make the model of a run the champion, if everything that the run recorded verifies."""
    with one_line_errors():
        from saltseg.serving.promotion import promote as promote_run

        print(promote_run(run, Path()))
