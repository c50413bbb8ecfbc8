"""The ensemble: the mean over snapshots and members, out-of-fold for train, all folds for test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import Params
from saltseg.config.schema import Fold
from saltseg.config.snapshot_counts import expected_snapshots
from saltseg.crops.crop_set import CropSet, depth
from saltseg.inference.outside import (
    OUT_OF_FOLD,
    TEST,
    OutsidePredictions,
    check_folds,
    load_outside,
)
from saltseg.inference.predictor import Predictor, snapshot_predictor, snapshot_shares
from saltseg.inference.views import create_views
from saltseg.models.averages import averaged
from saltseg.models.snapshots import load_snapshot, snapshot_path
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import visible, write_array, write_table
from saltseg.plumbing.layout import Layout
from saltseg.scoring.metric import precision
from saltseg.selection.greedy_weights import ChosenWeights

Probabilities = npt.NDArray[np.float32]

Snapshots = dict[tuple[str, Fold], list[Path]]
"""Snapshot files by member and held-out fold, oldest first."""

_CHUNK = 256
"""Crops from outside that are added together."""


@dataclass(frozen=True)
class Ensemble:
    """Averaged probabilities of salt.

    table: lines `id`, `fold`, `row` of the training crops of the trained folds, in array order.
    out_of_fold: float32 (train crops, h, w), each from models that never saw the crop.
    test: float32 (test crops, h, w).
    members: out-of-fold probabilities of each member alone.
    weights: of the members, where they were chosen.
    """

    table: pd.DataFrame
    out_of_fold: Probabilities
    test: Probabilities
    members: dict[str, Probabilities]
    weights: ChosenWeights | None = None

    def save(self, folder: Path) -> None:
        """Write out_of_fold.npy and test.npy in half precision, and out_of_fold.parquet.

        It also writes member_weights.json if weights were chosen.
        """
        if self.weights:
            self.weights.save(folder)
        write_array(folder / "out_of_fold.npy", self.out_of_fold.astype(np.float16))
        write_array(folder / "test.npy", self.test.astype(np.float16))
        write_table(folder / "out_of_fold.parquet", self.table)

    def scores(self, masks: npt.NDArray[np.bool_]) -> dict[str, float]:
        """Return the out-of-fold score at p > 0.5, of the mean and of each member.

        masks: bool (n, h, w), all training crops by row.
        """
        truth = masks[self.table["row"].to_numpy()]
        found = {"score_at_half": precision(self.out_of_fold > 0.5, truth)}
        for member, probabilities in self.members.items():
            found[f"score_at_half_{member}"] = precision(probabilities > 0.5, truth)
        return {name: float(values.mean()) for name, values in found.items()}


@dataclass(frozen=True)
class OutsideMember:
    """A member that another system predicted.

    out_of_fold, test: in the order of the ensemble's table, and of the test array; test is None
    where there are no test crops. folds_known: whether it was checked to hold out the same crops.
    """

    out_of_fold: OutsidePredictions
    test: OutsidePredictions | None
    folds_known: bool


Outside = dict[str, OutsideMember]
"""Members from outside, by name."""


@dataclass(frozen=True)
class Part:
    """The models of one member trained without one fold, and their share in the ensemble.

    share: in the mean over members, for crops of the fold.
    test_share: in the mean over members and folds, for test crops; 0 if others predict those.
    predict: predicts the mean over the part's snapshots.
    """

    member: str
    fold: Fold
    share: float
    test_share: float
    predict: Predictor


def find_snapshots(layout: Layout, params: Params) -> Snapshots:
    """Return the snapshots of every member and fold; see _find for the errors."""
    return _find(layout, params, params.train_per_fold.folds)


def find_predicting(layout: Layout, params: Params) -> Snapshots:
    """Return the snapshots that predict new crops, where there is a choice; see _find."""
    return _find(layout, params, params.train_per_fold.predicting)


def _find(layout: Layout, params: Params, folds: Sequence[Fold]) -> Snapshots:
    """Return the snapshots of every member and some folds.

    Raises InputError that counts and names missing and surplus snapshots, so that a partial
    ensemble is never averaged silently.
    """
    settings = params.train_per_fold
    count = expected_snapshots(settings.phases)
    found: Snapshots = {}
    missing: list[Path] = []
    surplus: list[Path] = []
    for member in settings.members:
        for fold in folds:
            folder = layout.model(member, fold)
            paths = [snapshot_path(folder, index) for index in range(count)]
            missing += [path for path in paths if not path.is_file()]
            surplus += sorted(set(visible(folder, "*.safetensors")) - set(paths))
            found[member, fold] = paths
    if missing:
        raise InputError(
            f"{len(missing)} snapshots are missing: {first_few(missing)}; fetch them with "
            "'dvc pull', or train them with 'dvc repro' without --allow-missing"
        )
    if surplus:
        raise InputError(
            f"{len(surplus)} snapshots do not belong to this training: {first_few(surplus)}; "
            "remove them and run 'dvc repro'"
        )
    return found


def load_outside_members(
    layout: Layout, params: Params, crops: CropSet, folds: pd.DataFrame
) -> Outside:
    """Open and check the members from outside; see outside.load_outside for the errors."""
    table = _out_of_fold_table(crops, folds, params.train_per_fold.held_out)
    ids, known, test = table["id"].tolist(), set(crops.train["id"]), crops.test["id"].tolist()
    found: Outside = {}
    for name in params.snapshot_ensemble.outside:
        folder = layout.outside(name)
        found[name] = OutsideMember(
            load_outside(folder, OUT_OF_FOLD, ids, known),
            load_outside(folder, TEST, test, set(test)) if test else None,
            check_folds(folder, table),
        )
    return found


def average(
    params: Params,
    crops: CropSet,
    folds: pd.DataFrame,
    snapshots: Snapshots,
    outside: Mapping[str, OutsideMember] = MappingProxyType({}),
) -> Ensemble:
    """Predict with every snapshot and average, members from outside included.

    folds: lines with `id` and `fold`; snapshots: as find_snapshots returns them; outside: as
    load_outside_members does.
    """
    table = _out_of_fold_table(crops, folds, params.train_per_fold.held_out)
    total = np.zeros((len(table), *crops.train_images.shape[1:]), np.float32)
    test = np.zeros(crops.test_images.shape, np.float32)
    members: dict[str, Probabilities] = {}
    for part in load_parts(params, snapshots):
        name = f"{part.member} of fold {part.fold} predicts"
        alone = members.setdefault(part.member, np.zeros_like(total))
        lines = np.flatnonzero(table["fold"] == part.fold)
        rows = table["row"].to_numpy()[lines]
        alone[lines] = part.predict(crops.train_images[rows], depth(crops.train)[rows], name=name)
        total[lines] += part.share * alone[lines]
        if part.test_share and len(test):
            test += part.test_share * part.predict(crops.test_images, depth(crops.test), name=name)
    shares = member_shares(params)
    for member, said in outside.items():
        members[member] = np.empty_like(total)
        _add(total, said.out_of_fold, shares[member], members[member])
        if said.test is not None:
            _add(test, said.test, shares[member])
    return Ensemble(table, total, test, members)


def predict_test(
    params: Params,
    crops: CropSet,
    snapshots: Snapshots,
    outside: Mapping[str, OutsideMember],
) -> Probabilities:
    """Return the mean for the test crops alone; arguments as for `average`.

    Networks of members whose weight is 0 do not predict.
    """
    test, shares = np.zeros(crops.test_images.shape, np.float32), member_shares(params)
    used = {(member, fold): paths for (member, fold), paths in snapshots.items() if shares[member]}
    for part in load_parts(params, used):
        if part.test_share:
            name = f"{part.member} of fold {part.fold} predicts"
            said = part.predict(crops.test_images, depth(crops.test), name=name)
            test += part.test_share * said
    for member, predicted in outside.items():
        if predicted.test is not None and shares[member]:
            _add(test, predicted.test, shares[member])
    return test


def _add(
    total: Probabilities,
    said: OutsidePredictions,
    share: float,
    alone: Probabilities | None = None,
) -> None:
    """Add a share of probabilities to `total`, a few crops at a time; copy them to `alone`."""
    for start in range(0, len(total), _CHUNK):
        part = slice(start, start + _CHUNK)
        values = said.read(part)
        total[part] += np.float32(share) * values
        if alone is not None:
            alone[part] = values


def load_parts(
    params: Params, snapshots: Snapshots, tiles: bool = False, fast: bool = False
) -> Iterator[Part]:
    """Yield each member and fold's part, with its snapshots in memory.

    tiles: see snapshot_predictor. fast: one network with the mean of the snapshots' weights, in
    place of the mean of what they predict, and no views but the mirrored one.
    """
    shares = member_shares(params)
    settings, predicting = params.snapshot_ensemble, params.train_per_fold.predicting
    views = [] if fast else create_views(settings.shifts, settings.scales)
    for (member, fold), paths in snapshots.items():
        loaded = [load_snapshot(path) for path in paths]
        if fast:
            loaded = [averaged(loaded, snapshot_shares(len(loaded), settings.snapshot_decay))]
        predict = snapshot_predictor(
            params.models[member],
            loaded,
            settings.snapshot_decay,
            params.runtime,
            settings.flip,
            views,
            tiles,
        )
        test_share = shares[member] / len(predicting) if fold in predicting else 0.0
        yield Part(member, fold, shares[member], test_share, predict)


def _out_of_fold_table(crops: CropSet, folds: pd.DataFrame, trained: Sequence[int]) -> pd.DataFrame:
    table = crops.train.merge(folds[["id", "fold"]], on="id", validate="one_to_one")
    table = table[table["fold"].isin(trained)].sort_values("row")
    return table[["id", "fold", "row"]].reset_index(drop=True)


def member_shares(params: Params) -> dict[str, float]:
    """Return the share of each member in the mean, of those from outside too; they sum to 1."""
    given = params.snapshot_ensemble.member_weights
    members = [*params.train_per_fold.members, *params.snapshot_ensemble.outside]
    weights = {member: given.get(member, 1.0) for member in members}
    total = sum(weights.values())
    return {member: weight / total for member, weight in weights.items()}
