"""Options of the commands that train on a Ray cluster."""

from pathlib import Path
from typing import Annotated

import typer

Ray = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Train on the nodes of this Ray cluster: HOST:PORT, or auto on one of its nodes.",
    ),
]
States = Annotated[
    Path | None,
    typer.Option(
        help="Folder for checkpoints that all nodes see: another goes on when a node dies."
    ),
]


def check_states(ray: str | None, states: Path | None) -> None:
    """Refuse checkpoints for other nodes where there are none."""
    if ray is None and states is not None:
        raise typer.BadParameter("--states is for a cluster: give its address with --ray")
