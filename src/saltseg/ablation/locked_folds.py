"""The folds that an ablation may explore: those that are not locked (fold_split.locked)."""

from saltseg.ablation.overrides import read_base
from saltseg.config.params import Params
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout


def explored_folds(base: Params, asked: list[int], name: str) -> list[int]:
    """Return the folds to train: those asked for, or all that the base holds out, less locked ones.

    name: the base's, for messages.
    Raises InputError if a locked fold is asked for, or none is left.
    """
    locked = base.fold_split.locked
    free = ",".join(str(fold) for fold in range(base.fold_split.n_folds) if fold not in locked)
    refused = [fold for fold in asked if fold in locked]
    if refused:
        raise InputError(
            f"--folds: {refused[0]} is locked (fold_split.locked), for final scores alone; "
            f"ablations may train {free}"
        )
    folds = asked or [fold for fold in base.train_per_fold.held_out if fold not in locked]
    if not folds:
        raise InputError(
            f"{name}: trains only locked folds (fold_split.locked); explore on others: "
            f"--folds {free}"
        )
    return folds


def check_lock(layout: Layout, base: Params, name: str, seeds: list[int]) -> None:
    """Raise InputError if overrides or seeds deal the crops of a locked recipe out again.

    base: the parameters of the recipe `name` with the overrides. A locked fold would then hold
    other crops, and those that it kept for the final score would be explored.
    """
    own = read_base(layout, name, ())
    if not (own.fold_split.locked and base.fold_split.locked):
        return
    others = [seed for seed in seeds if seed != own.base.seed]
    if others and base.ingest.source == "own":
        raise InputError(
            f"base.seed={others[0]}: draws other crops from your own data, so that the locked folds"
            f" (fold_split.locked) hold others; use the recipe's, {own.base.seed}, or lock none: -S"
            " 'fold_split.locked=[]'"
        )
    for section in ("fold_split", "coverage_stratify"):
        before, after = (getattr(params, section).model_dump() for params in (own, base))
        changed = [key for key in before if key != "locked" and before[key] != after[key]]
        if changed:
            raise InputError(
                f"-S {section}.{changed[0]}={after[changed[0]]}: deals the crops out again, so "
                "that the locked folds (fold_split.locked) hold others; leave it out, or lock "
                "none: -S 'fold_split.locked=[]'"
            )
