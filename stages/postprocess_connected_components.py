"""postprocess-connected-components: remove small salt components and fill small holes.

    python stages/postprocess_connected_components.py

Reads data/snapshot-ensemble, data/threshold-search/thresholds.json, data/ingest (images and masks
of train) and data/coverage-stratify/crops.parquet. Writes data/postprocess-connected-components
(test_masks.npy, out_of_fold_masks.npy, sizes.json), the scores before and after in
results/postprocess-connected-components.json, their means by coverage class and by
100 ft of depth (each bin by its shallow end), and a sheet of the crops with the lowest scores.
"""

from pathlib import Path
from typing import Any

import numpy as np

from saltseg.crops import load_array
from saltseg.errors import one_line_errors
from saltseg.figures import PREDICTION, TRUTH, contact_sheet
from saltseg.files import read_json, write_array, write_csv, write_json
from saltseg.layout import Layout
from saltseg.metric import salt_masks
from saltseg.out_of_fold import OutOfFold, load_out_of_fold
from saltseg.params import Params, load_params
from saltseg.postprocess import (
    Cleaning,
    Masks,
    clean_by_part,
    mean_scores_by,
    search_sizes,
    size_pairs,
    write_test_masks,
)
from saltseg.seeds import generator
from saltseg.thresholds import bootstrap_interval
from saltseg.tracking import stage_run

NAME = "postprocess-connected-components"


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    sizes = params.postprocess_connected_components
    with stage_run(NAME, layout, params) as run:
        crops = load_out_of_fold(layout)
        thresholds = read_json(layout.data("threshold-search") / "thresholds.json")
        by_part = thresholds["threshold_by_part"]
        limits = np.array([by_part[str(part)] for part in crops.parts])
        masks = salt_masks(crops.probabilities, limits)
        pairs = size_pairs(sizes.salt_sizes, sizes.hole_sizes)
        cleaning = search_sizes(masks, crops.truth, crops.parts, pairs)
        if not cleaning.helps:
            print(f"{NAME}: no sizes raise the nested score; the masks stay as they are")
        cleaned = clean_by_part(masks, crops.parts, cleaning.by_part)
        save(layout, cleaned, thresholds["threshold"], cleaning)
        run.metrics(score(cleaning, crops, params))
        draw(layout, crops, cleaned, cleaning)
        run.artifact(layout.plots(NAME))


def save(layout: Layout, out_of_fold: Masks, threshold: float, cleaning: Cleaning) -> None:
    """Write the masks and the sizes that made them."""
    folder = layout.data(NAME)
    write_array(folder / "out_of_fold_masks.npy", out_of_fold)
    probabilities = load_array(layout.data("snapshot-ensemble") / "test.npy")
    write_test_masks(folder / "test_masks.npy", probabilities, threshold, cleaning.sizes)
    write_json(folder / "sizes.json", chosen_sizes(cleaning))


def chosen_sizes(cleaning: Cleaning) -> dict[str, Any]:
    """Return the sizes for the test crops and for each part."""
    by_part = {str(part): sizes for part, sizes in cleaning.by_part.items()}
    return {
        "helps": cleaning.helps,
        "salt_size": cleaning.sizes[0],
        "hole_size": cleaning.sizes[1],
        "salt_size_by_part": {part: sizes[0] for part, sizes in by_part.items()},
        "hole_size_by_part": {part: sizes[1] for part, sizes in by_part.items()},
    }


def score(cleaning: Cleaning, crops: OutOfFold, params: Params) -> dict[str, Any]:
    """Return the nested scores, and what the search gains, each with its interval."""
    groups = crops.table["mosaic"].tolist()
    resamples = params.threshold_search.bootstrap
    gain = cleaning.searched - cleaning.before
    low, high = bootstrap_interval(
        cleaning.after, groups, resamples, generator(params.base.seed, NAME)
    )
    gain_low, gain_high = bootstrap_interval(
        gain, groups, resamples, generator(params.base.seed, NAME)
    )
    return {
        "crops": len(gain),
        "score_before": float(cleaning.before.mean()),
        "score_after": float(cleaning.after.mean()),
        "score_low": low,
        "score_high": high,
        "searched_gain": float(gain.mean()),
        "searched_gain_low": gain_low,
        "searched_gain_high": gain_high,
        **chosen_sizes(cleaning),
    }


def draw(layout: Layout, crops: OutOfFold, masks: Masks, cleaning: Cleaning) -> None:
    """Write the scores by coverage and depth, and a sheet of the 32 worst crops."""
    folder = layout.plots(NAME)
    classes = crops.table["coverage_class"].tolist()
    depths = (crops.table["depth"] // 100 * 100).tolist()
    write_csv(folder / "by_coverage.csv", mean_scores_by("coverage_class", classes, cleaning))
    write_csv(folder / "by_depth.csv", mean_scores_by("depth", depths, cleaning))
    wrong_pixels = np.count_nonzero(masks != crops.truth, axis=(1, 2))
    worst = np.lexsort((-wrong_pixels, cleaning.after))[:32]
    images = load_array(layout.data("ingest") / "train_images.npy")
    contact_sheet(
        folder / "worst.png",
        images[crops.table["row"].to_numpy()[worst]],
        [(crops.truth[worst], TRUTH), (masks[worst], PREDICTION)],
        [f"{crops.table['id'].iloc[at]} {cleaning.after[at]:.1f}" for at in worst],
    )


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
