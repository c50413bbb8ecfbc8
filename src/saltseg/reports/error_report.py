"""Where the predictions fail: measures by kind of crop, and pictures of the worst crops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.coverage import MASK_KINDS, mask_kinds
from saltseg.crops.crop_set import NO_DEPTH
from saltseg.plumbing.files import write_csv
from saltseg.reports.contact_sheet import COLUMNS, Group, Tile, contact_sheet
from saltseg.reports.error_kinds import KINDS, error_kinds, worst_of
from saltseg.reports.palette import FALSE, HIT, MISSED
from saltseg.reports.panels import compared
from saltseg.scoring.metric import Scores
from saltseg.scoring.pixel_measures import (
    boundary_distance,
    dice,
    iou,
    pixel_precision,
    pixel_recall,
)
from saltseg.selection.fixed_thresholds import score_over_thresholds
from saltseg.selection.out_of_fold import OutOfFold
from saltseg.selection.postprocess import Cleaning, Masks


@dataclass(frozen=True)
class Errors:
    """The final out-of-fold masks, bool (n, h, w) in the order of `crops`, and their measures."""

    crops: OutOfFold
    masks: Masks
    cleaning: Cleaning

    @cached_property
    def by_crop(self) -> pd.DataFrame:
        """Return `score_before` cleaning, `score`, `iou`, `dice` and `boundary_distance`."""
        truth = self.crops.truth
        return pd.DataFrame(
            {
                "score_before": self.cleaning.before,
                "score": self.cleaning.after,
                "iou": iou(self.masks, truth),
                "dice": dice(self.masks, truth),
                "boundary_distance": boundary_distance(self.masks, truth),
            }
        )

    @cached_property
    def over_thresholds(self) -> Scores:
        """Return each crop's mean score over a fixed range of thresholds: float64 (n,)."""
        return score_over_thresholds(self.crops.probabilities, self.crops.truth)

    @cached_property
    def kinds(self) -> npt.NDArray[np.str_]:
        """Return the kind of each crop's error; see error_kinds."""
        vertical = self.crops.table["vertical"].to_numpy(bool)
        return error_kinds(self.masks, self.crops.truth, self.crops.probabilities, vertical)

    def means(self) -> dict[str, float]:
        """Return means over the quoted crops: IoU, Dice, boundary distance (where there is one).

        It also holds `score_over_thresholds`; see fixed_thresholds.
        """
        quoted, columns = self.crops.quoted, ["iou", "dice", "boundary_distance"]
        measures = self.by_crop.loc[quoted, columns].mean()
        means = {str(name): float(value) for name, value in measures.items() if value == value}
        return means | {"score_over_thresholds": float(self.over_thresholds[quoted].mean())}


def write_error_report(folder: Path, errors: Errors, images: npt.NDArray[np.uint8]) -> None:
    """Write measures by coverage class, 100 ft of depth, mask, error and crop, and the worst crops.

    lost_by_mask.csv says what each kind of mask costs the score, with how many crops of it are
    called empty and how many salt.

    images: uint8, all training crops by row. A bin of depth is named by its shallow end; crops of
    unknown depth are in none.
    """
    table = errors.crops.table
    kinds: dict[str, tuple[str, Sequence[object]]] = {
        "by_coverage": ("coverage_class", table["coverage_class"].tolist()),
        "by_depth": ("depth", depth_bins(table["depth"])),
        "by_mask": ("mask", mask_kinds(errors.crops.truth).tolist()),
    }
    for name, (column, values) in kinds.items():
        write_csv(folder / f"{name}.csv", measures_by(column, values, errors))
    write_csv(folder / "by_error.csv", losses_by_kind(errors))
    write_csv(folder / "lost_by_mask.csv", losses_by_mask(errors))
    write_csv(folder / "by_crop.csv", errors_by_crop(errors))
    contact_sheet(folder / "worst.png", list(_groups(errors, images)), [HIT, MISSED, FALSE])


def crop_scores(errors: Errors) -> pd.DataFrame:
    """Return id, fold and mosaic of each crop, and its scores.

    `before` and `after` cleaning, at its part's threshold, and `over_thresholds`: see
    fixed_thresholds.score_over_thresholds.
    """
    table = errors.crops.table[["id", "fold", "mosaic"]].reset_index(drop=True)
    scores = {"before": errors.cleaning.before, "after": errors.cleaning.after}
    return table.assign(**scores, over_thresholds=errors.over_thresholds)


def errors_by_crop(errors: Errors) -> pd.DataFrame:
    """Return one line per crop, in the order of the masks: its error's kind, and its measures.

    `wrong` counts the pixels that differ from the truth; `error` is one of KINDS, or empty.
    """
    table = errors.crops.table[["id", "fold", "depth", "coverage_class"]].reset_index(drop=True)
    wrong = np.count_nonzero(errors.masks != errors.crops.truth, axis=(1, 2))
    return pd.concat([table.assign(error=errors.kinds, wrong=wrong), errors.by_crop], axis=1)


def depth_bins(depth: "pd.Series[int]") -> Sequence[float]:
    """Return the shallow end of each depth's 100 ft; NaN, and so no bin, where it is not known."""
    bins = depth // 100 * 100
    known = depth != NO_DEPTH
    return (bins if known.all() else bins.where(known)).tolist()


def measures_by(column: str, values: Sequence[object], errors: Errors) -> pd.DataFrame:
    """Return one line per value: number of crops, mean measures, pixel precision and recall.

    Score, IoU, Dice and boundary distance are means over crops; precision and recall are pooled
    over pixels. A measure that no crop has is NaN.
    """
    groups = errors.by_crop.assign(**{column: np.asarray(values)}).groupby(column)
    lines = groups.mean()
    lines.insert(0, "crops", groups.size())
    rows = {value: members.to_numpy() for value, members in groups.groups.items()}
    pairs = [(errors.masks[rows[at]], errors.crops.truth[rows[at]]) for at in lines.index]
    lines["pixel_precision"] = [pixel_precision(*pair) for pair in pairs]
    lines["pixel_recall"] = [pixel_recall(*pair) for pair in pairs]
    return lines.reset_index()


def losses_by_kind(errors: Errors) -> pd.DataFrame:
    """Return for each kind of error: crops, mean IoU, and the mean score it costs."""
    lost = 1 - errors.by_crop["score"]
    lines = [
        {
            "error": kind,
            "crops": int(own.sum()),
            "iou": float(errors.by_crop["iou"][own].mean()) if own.any() else float("nan"),
            "score_lost": float(lost[own].sum() / len(lost)),
        }
        for kind in KINDS
        for own in [errors.kinds == kind]
    ]
    return pd.DataFrame(lines)


def losses_by_mask(errors: Errors) -> pd.DataFrame:
    """Return for each kind of mask: crops, how many are predicted empty and salt, and their cost.

    `score_lost` is in the mean over all crops: the column's sum is one minus the score of all
    folds, locked or not.
    """
    kinds = mask_kinds(errors.crops.truth)
    lost = 1 - errors.by_crop["score"].to_numpy()
    empty = ~errors.masks.any(axis=(1, 2))
    lines = [
        {
            "mask": kind,
            "crops": int(own.sum()),
            "called_empty": int((own & empty).sum()),
            "called_salt": int((own & ~empty).sum()),
            "score_lost": float(lost[own].sum() / len(lost)),
        }
        for kind in MASK_KINDS
        for own in [kinds == kind]
    ]
    return pd.DataFrame(lines)


def _groups(errors: Errors, images: npt.NDArray[np.uint8]) -> Iterator[Group]:
    """Yield a row of the worst crops of each kind of error."""
    losses = losses_by_kind(errors).set_index("error")
    scores = errors.by_crop["score"].to_numpy()
    wrong = np.count_nonzero(errors.masks != errors.crops.truth, axis=(1, 2))
    for kind in KINDS:
        worst = worst_of(kind, errors.kinds, scores, np.asarray(wrong), COLUMNS)
        count, lost = losses.loc[kind, ["crops", "score_lost"]]
        heading = f"{kind.capitalize()}: {count:.0f} crops, {lost:.3f} of the score lost"
        yield Group(heading, [_tile(errors, images, int(at)) for at in worst])


def _tile(errors: Errors, images: npt.NDArray[np.uint8], at: int) -> Tile:
    line, measures = errors.crops.table.iloc[at], errors.by_crop.iloc[at]
    layers = compared(errors.crops.truth[at], errors.masks[at])
    title = f"{line['id']}   IoU {measures['iou']:.2f}   score {measures['score']:.1f}"
    return Tile(images[line["row"]], layers, title)
