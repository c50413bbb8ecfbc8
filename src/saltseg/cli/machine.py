"""`saltseg doctor`."""

from pathlib import Path

import typer

from saltseg.plumbing.errors import one_line_errors, printable


def doctor() -> None:
    """Check that this machine has what saltseg needs, and say what to do where it has not."""
    from saltseg.project.health import State, check_machine
    from saltseg.tracking.reachability import check_store

    with one_line_errors():
        found = []
        for finding in (*check_machine(Path()), check_store(Path())):
            found.append(finding)
            print(f"{finding.state.value:7}  {finding.name:8}  {printable(finding.text)}")
    needed = [each.name for each in found if each.state is State.NEEDED]
    print(f"{len(needed)} needed: {', '.join(needed)}" if needed else "everything needed is there")
    if needed:
        raise typer.Exit(1)
