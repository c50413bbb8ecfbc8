"""The ensemble where the weights of its members are chosen on out-of-fold crops."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from saltseg.config.params import Params
from saltseg.crops.crop_set import CropSet
from saltseg.inference.ensemble import (
    Ensemble,
    OutsideMember,
    Snapshots,
    average,
    predict_test,
)
from saltseg.selection.greedy_weights import mix_by_part, nested_weights, with_weights
from saltseg.selection.nested_choice import selection_parts


def average_greedily(
    params: Params,
    crops: CropSet,
    folds: pd.DataFrame,
    snapshots: Snapshots,
    outside: Mapping[str, OutsideMember],
) -> Ensemble:
    """Predict the training crops, choose the weights of the members, and predict the test crops.

    Arguments as for ensemble.average; folds have `mosaic`, too. The weights of each part of
    nested_choice.selection_parts are chosen on the other parts.
    """
    alone = {name: replace(member, test=None) for name, member in outside.items()}
    known = average(params, crops.without_test(), folds, snapshots, alone)
    table = known.table.merge(folds[["id", "mosaic"]], on="id", validate="one_to_one")
    parts = selection_parts(table["fold"].tolist(), table["mosaic"].astype(str).tolist())
    truth = crops.train_masks[table["row"].to_numpy()]
    weights = nested_weights(known.members, truth, parts)
    out_of_fold = mix_by_part(known.members, parts, weights)
    test = predict_test(with_weights(params, weights), crops, snapshots, outside)
    return Ensemble(known.table, out_of_fold, test, known.members, weights)
