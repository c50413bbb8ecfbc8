"""A sheet of training crops under their salt."""

from pathlib import Path

from saltseg.crops.crop_set import NO_DEPTH, CropSet
from saltseg.reports.contact_sheet import Group, Tile, contact_sheet
from saltseg.reports.figures import spread_over_coverage
from saltseg.reports.palette import TRUTH


def draw_training_crops(path: Path, crops: CropSet) -> Path:
    """Draw 16 training crops under their salt, from the least to the most; return `path`."""
    rows = spread_over_coverage(crops.train_masks, 16)
    depths = crops.train["depth"].tolist()
    tiles = [
        Tile(
            crops.train_images[row],
            [(crops.train_masks[row], TRUTH)],
            f"{line.id}   {_feet(depths[row])}{crops.train_masks[row].mean():.0%} salt",
        )
        for row, line in zip(rows, crops.train.iloc[rows].itertuples(), strict=True)
    ]
    contact_sheet(path, [Group("Training crops, from the least to the most salt", tiles)], [TRUTH])
    return path


def _feet(depth: int) -> str:
    """Return the depth for a title; nothing if it is unknown."""
    return "" if depth == NO_DEPTH else f"{depth} ft   "
