"""Epochs that give a variant the training cost of its base."""

from collections.abc import Mapping, Sequence

from saltseg.config.crop_counts import CropCounts
from saltseg.config.params import Params
from saltseg.learning.costs import PhaseName, epoch_costs, petaflop
from saltseg.plumbing.errors import InputError

_NEAR = 0.1
"""Share of the base's cost by which a variant's may differ, for lack of whole epochs between."""


def matched_epochs(base: Params, variant: Params, crops: CropCounts) -> list[str]:
    """Return overrides for the epochs of a variant's phases that give it the base's cost.

    Cost: see learning.costs. The phases of teachers and members keep their proportions as well as
    whole epochs allow. Empty where the variant's epochs are right already.
    Raises InputError if whole epochs come no nearer than a tenth.
    """
    of_base, units = (
        epoch_costs(each, crops.train, crops.pseudolabels) for each in (base, variant)
    )
    target = _total(of_base, _planned(base, of_base))
    planned = _planned(variant, units)
    # A phase that learns from nothing costs nothing, whatever its epochs.
    paid = [name for name, unit in units.items() if unit]
    wanted = [planned[name] for name in paid]
    epochs = dict(zip(paid, deal(wanted, [units[name] for name in paid], target), strict=True))
    total = _total(units, planned | epochs)
    if abs(total - target) > _NEAR * target:
        raise InputError(
            f"whole epochs bring it to {petaflop(total)} PFLOP at best, not to the base's "
            f"{petaflop(target)}; give the base more epochs"
        )
    changed = {name: count for name, count in epochs.items() if count != planned[name]}
    return [f"{_path(variant, name)}.epochs={count}" for name, count in changed.items()]


def deal(planned: Sequence[int], units: Sequence[int], target: int) -> list[int]:
    """Return numbers of epochs, in proportion to `planned`, that cost as near `target` as can be.

    units: cost of an epoch of each. After one epoch each, they are dealt one by one to whom the
    method of Webster and Sainte-Laguë names next (Balinski and Young 1982, "Fair representation"),
    until another would lead away from the target.
    """
    epochs = [1] * len(planned)
    total = sum(units)
    while True:
        due = [count / (2 * own + 1) for count, own in zip(planned, epochs, strict=True)]
        at = due.index(max(due))
        if abs(total + units[at] - target) >= abs(total - target):
            return epochs
        epochs[at] += 1
        total += units[at]


def _planned(params: Params, names: Mapping[PhaseName, int]) -> dict[PhaseName, int]:
    """Return the epochs of each cycle of the phases."""
    return {
        (section, index): getattr(params, section).phases[index].schedule.epochs
        for section, index in names
    }


def _total(units: Mapping[PhaseName, int], epochs: Mapping[PhaseName, int]) -> int:
    return sum(unit * epochs[name] for name, unit in units.items())


def _path(params: Params, name: PhaseName) -> str:
    section, index = name
    schedule = getattr(params, section).phases[index].schedule.written
    return f"{section}.phases.{index}.schedule.{schedule}"
