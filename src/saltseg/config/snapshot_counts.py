"""The number of snapshots that a training leaves, known from its phases in advance."""

from collections.abc import Sequence

from saltseg.config.phases import Best, Last, Phase


def expected_snapshots(phases: Sequence[Phase]) -> int:
    """Return how many snapshots a member's training leaves.

    The number does not depend on pseudo-labels: train_member refuses phases that would keep
    snapshots but are skipped for lack of them.
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
