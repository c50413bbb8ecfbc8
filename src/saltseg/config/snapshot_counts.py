"""How many snapshots a training leaves, as its phases say beforehand."""

from collections.abc import Sequence

from saltseg.config.phases import Best, Last, Phase


def expected_snapshots(phases: Sequence[Phase]) -> int:
    """Return how many snapshots a member's training leaves, with or without pseudo-labels.

    It leaves as many in either case: train_member refuses phases that keep some only with them.
    """
    return sum(map(_snapshot_count, phases))


def _snapshot_count(phase: Phase) -> int:
    match phase.keep:
        case Last(last=count) | Best(best=count):
            return count
        case "cycle_ends":
            return phase.schedule.cycles
        case _:
            return 0
