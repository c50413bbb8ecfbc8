"""Splitting the training crops into folds, and measuring balance and leakage."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.crop_set import NO_DEPTH, known_depths
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.seeds import generator, stream_seed

Folds = npt.NDArray[np.int64]

_STREAM = "fold-split"


def assign_folds(
    train: pd.DataFrame,
    n_folds: int,
    strategy: str,
    seed: int,
    field: str = "fold_split.n_folds",
) -> pd.DataFrame:
    """Split the training crops into folds, whatever the order of the lines.

    train: `id`, `depth`, `coverage_class` and `mosaic`. strategy: "coverage" deals out the classes
    in turn, in random order within a class; "depth" deals from shallow to deep; "coverage_grouped"
    balances the classes as well as whole mosaics allow.
    Returns `id` and `fold` (int64, 0 to n_folds - 1), sorted by id.
    Raises InputError, naming `field`, if there are fewer crops, or mosaics, than folds, or if the
    sizes of the mosaics leave a fold empty.
    """
    table = train.sort_values("id", ignore_index=True)
    _check_enough(table, n_folds, strategy, field)
    if strategy == "coverage_grouped":
        fold = _grouped(table, n_folds, seed)
    elif strategy == "depth":
        _check_depths(table)
        fold = _dealt(table["depth"], n_folds)
    else:
        shuffled = table.iloc[generator(seed, _STREAM).permutation(len(table))]
        fold = _dealt(shuffled["coverage_class"], n_folds)
    _check_filled(table, fold, n_folds, field)
    return pd.DataFrame({"id": table["id"], "fold": fold})


def class_balance(table: pd.DataFrame) -> pd.DataFrame:
    """Count crops (`crops`) by `fold` and `coverage_class`, including zero counts."""
    counts = pd.crosstab(table["coverage_class"], table["fold"])
    return counts.melt(value_name="crops", ignore_index=False).reset_index()[
        ["fold", "coverage_class", "crops"]
    ]


def largest_class_deviation(table: pd.DataFrame) -> float:
    """Return the largest difference between a class's share of a fold and of all crops."""
    in_fold = pd.crosstab(table["fold"], table["coverage_class"], normalize="index")
    in_all = table["coverage_class"].value_counts(normalize=True)
    return float((in_fold - in_all).abs().to_numpy().max())


def crops_beside_other_folds(folds: pd.DataFrame, neighbours: pd.DataFrame) -> set[str]:
    """Return the ids of the training crops that have a neighbour in another fold.

    folds: `id` and `fold`; neighbours: `id` and `neighbour`; test crops are ignored.
    """
    fold = folds.set_index("id")["fold"]
    sides = pd.DataFrame({side: neighbours[side].map(fold) for side in ("id", "neighbour")})
    apart = neighbours[sides.notna().all(axis=1) & (sides["id"] != sides["neighbour"])]
    return set(apart["id"]) | set(apart["neighbour"])


def summary(table: pd.DataFrame, neighbours: pd.DataFrame) -> dict[str, Any]:
    """Describe a split; `table` holds the training crops with their `fold`."""
    leaking = len(crops_beside_other_folds(table, neighbours))
    return {
        "crops": len(table),
        "largest_class_deviation": largest_class_deviation(table),
        "crops_beside_other_folds": leaking,
        "share_beside_other_folds": leaking / len(table),
        **{
            f"fold_{number}": {
                "crops": len(crops),
                "mean_coverage": float(crops["coverage"].mean()),
                **_mean_depth(crops),
            }
            for number, crops in table.groupby("fold")
        },
    }


def _mean_depth(crops: pd.DataFrame) -> dict[str, float]:
    depth = known_depths(crops)
    return {} if depth.empty else {"mean_depth": float(depth.mean())}


def _dealt(key: "pd.Series[int]", n_folds: int) -> Folds:
    """Deal crops to the folds in turn in stable order of `key`.

    Returns the folds in the order of the index of `key`.
    """
    order = key.index[np.argsort(key.to_numpy(), kind="stable")]
    fold = np.empty(len(key), dtype=np.int64)
    fold[order] = np.arange(len(key)) % n_folds
    return fold


def _grouped(table: pd.DataFrame, n_folds: int, seed: int) -> Folds:
    """Balance the classes over the folds, keeping every mosaic in one fold."""
    from sklearn.model_selection import StratifiedGroupKFold  # takes two seconds to import

    splitter = StratifiedGroupKFold(
        n_folds, shuffle=True, random_state=stream_seed(seed, _STREAM) % 2**32
    )
    classes, mosaics = table["coverage_class"], table["mosaic"]
    # Classes with fewer crops than folds cannot be balanced one by one; merge them.
    rare = classes.map(classes.value_counts()) < n_folds
    fold = np.empty(len(table), dtype=np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = splitter.split(table, classes.mask(rare, -1), mosaics)
        for number, (_, held_out) in enumerate(parts):
            fold[held_out] = number
    return fold


def _check_depths(table: pd.DataFrame) -> None:
    unknown = table["id"][table["depth"] == NO_DEPTH].tolist()
    if unknown:
        raise InputError(
            f"params.yaml: fold_split.strategy: depth needs the depth of each crop, which"
            f" {len(unknown):,} of {len(table):,} lack: {first_few(unknown)}; take"
            " coverage_grouped, or add depths"
        )


def _check_enough(table: pd.DataFrame, n_folds: int, strategy: str, field: str) -> None:
    unit = "mosaics" if strategy == "coverage_grouped" else "crops"
    count = table["mosaic"].nunique() if unit == "mosaics" else len(table)
    if count < n_folds:
        raise InputError(
            f"params.yaml: {field}: {n_folds} folds are more than the {count} training {unit}; "
            "use fewer folds or more crops"
        )


def _check_filled(table: pd.DataFrame, fold: Folds, n_folds: int, field: str) -> None:
    empty = sorted(set(range(n_folds)) - set(fold.tolist()))
    if empty:
        raise InputError(
            f"params.yaml: {field}: {n_folds} folds leave fold {empty[0]} without a crop: the "
            f"{table['mosaic'].nunique()} mosaics of {len(table):,} training crops do not fill it; "
            "use fewer folds or more crops"
        )
