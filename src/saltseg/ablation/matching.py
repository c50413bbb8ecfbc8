"""Epochs that give a training a certain cost: that of its base, or a share of its own."""

from collections.abc import Mapping, Sequence

from saltseg.config.params import Params
from saltseg.learning.costs import PhaseName, petaflop
from saltseg.plumbing.errors import InputError

_NEAR = 0.1
"""Share of the cost by which a training's may differ, for lack of whole epochs between."""

Units = Mapping[PhaseName, int]
"""Operations of an epoch of each phase, from learning.costs.epoch_costs."""


def training_cost(params: Params, units: Units) -> int:
    """Return the operations of a training's epochs."""
    return _total(units, _planned(params, units))


def epochs_at_cost(params: Params, units: Units, target: int) -> list[str]:
    """Return overrides for the epochs of the phases with which the training costs `target`.

    Cost: operations, see learning.costs. The phases of teachers and members keep their proportions
    as well as whole epochs allow, with at least one epoch each. Empty where the epochs are right
    already.
    Raises InputError if whole epochs come no nearer than a tenth.
    """
    planned = _planned(params, units)
    # A phase that learns from nothing costs nothing, whatever its epochs.
    paid = [name for name, unit in units.items() if unit]
    counts = [planned[name] for name in paid], [units[name] for name in paid]
    epochs = dict(zip(paid, deal(*counts, target), strict=True))
    cost = _total(units, planned | epochs)
    if not _is_near(cost, target):
        raise InputError(
            f"whole epochs cost {petaflop(cost)} PFLOP at best, and {petaflop(target)} are wanted;"
            " give the base more epochs"
        )
    changed = {name: count for name, count in epochs.items() if count != planned[name]}
    return [f"{_path(params, name)}.epochs={count}" for name, count in changed.items()]


def deal(planned: Sequence[int], units: Sequence[int], target: int) -> list[int]:
    """Return numbers of epochs, in proportion to `planned`, that cost about `target`.

    units: cost of an epoch of each. After one epoch each, they are dealt one by one to the
    phase that the method of Webster and Sainte-Laguë names next (Balinski and Young 1982, "Fair
    representation"), until another would lead away from the target. If that is not near yet, a
    phase that costs too much is passed over for the next one due: cheap phases fill what is
    missing.
    """
    epochs = [1] * len(planned)
    total = sum(units)
    while True:
        due = [count / (2 * own + 1) for count, own in zip(planned, epochs, strict=True)]
        helping = [at for at, unit in enumerate(units) if _leads_nearer(total, unit, target)]
        if not helping or (due.index(max(due)) not in helping and _is_near(total, target)):
            return epochs
        at = max(helping, key=due.__getitem__)
        epochs[at] += 1
        total += units[at]


def _leads_nearer(total: int, unit: int, target: int) -> bool:
    """Return whether another epoch leads nearer to the target, and not too far beyond it."""
    after = total + unit
    return abs(after - target) < abs(total - target) and (after < target or _is_near(after, target))


def _is_near(total: int, target: int) -> bool:
    return abs(total - target) <= _NEAR * target


def _planned(params: Params, names: Units) -> dict[PhaseName, int]:
    """Return the epochs of each cycle of the phases."""
    return {
        (section, index): getattr(params, section).phases[index].schedule.epochs
        for section, index in names
    }


def _total(units: Units, epochs: Mapping[PhaseName, int]) -> int:
    return sum(unit * epochs[name] for name, unit in units.items())


def _path(params: Params, name: PhaseName) -> str:
    section, index = name
    schedule = getattr(params, section).phases[index].schedule.written
    return f"{section}.phases.{index}.schedule.{schedule}"
