"""What the smallest body that is kept costs and brings, on volumes whose salt is known.

    python -m benchmarks.least_bodies    # two minutes

For each volume: the limit of seismic.body_table.least_body; of the true salt, the bodies below it
and their share of all salt; of a prediction (the truth blurred, with noise of the seismic's own
scale added, over one half) the IoU and the number of bodies before and after.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from tabulate import tabulate

from saltseg.seismic.body_table import least_body
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.survey.grid import Grid
from saltseg.survey.volume_files import write_volume

SIZE = Grid(64, 120, 120)
SEEDS = (1, 2, 3)
STYLES = ("default", "wide")
BLUR, NOISE = 3.0, 0.2


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    rows = [_row(seed, style) for style in STYLES for seed in SEEDS]
    print(tabulate(rows, headers="keys", tablefmt="github"))


def _row(seed: int, style: str) -> dict[str, object]:
    with TemporaryDirectory() as folder:
        write_volume(Path(folder), seed, SIZE, segy=False, workers=1, style=style)
        options = SurveyOptions(axes="inline,crossline,sample")
        with open_survey(Path(folder, "amplitude.npy"), options) as survey:
            limit = least_body(survey)
        truth = np.load(Path(folder, "salt.npy"))
    predicted = _predicted(truth, seed)
    cleaned = _cleaned(predicted, limit)
    small = truth & ~_cleaned(truth, limit)
    return {
        "style": style,
        "seed": seed,
        "limit, samples": f"{limit:,}",
        "true bodies": _count(truth),
        "of them below": _count(small),
        "their share of the salt": f"{small.sum() / truth.sum():.2%}",
        "bodies predicted": _count(predicted),
        "kept": _count(cleaned),
        "IoU before": f"{_iou(predicted, truth):.4f}",
        "IoU after": f"{_iou(cleaned, truth):.4f}",
    }


def _predicted(truth: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[np.bool_]:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=truth.shape), BLUR)
    blurred = ndimage.gaussian_filter(truth.astype(np.float64), BLUR)
    return np.asarray(blurred + NOISE * noise / noise.std() > 0.5)


def _cleaned(mask: npt.NDArray[np.bool_], limit: int) -> npt.NDArray[np.bool_]:
    labels, _ = ndimage.label(mask)
    kept = np.bincount(labels.ravel()) >= limit
    kept[0] = False
    return np.asarray(kept[labels])


def _count(mask: npt.NDArray[np.bool_]) -> int:
    return int(ndimage.label(mask)[1])


def _iou(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


if __name__ == "__main__":
    main()
