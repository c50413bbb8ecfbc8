"""ingest: read and check the raw crops, or make the embedded survey.

    python stages/ingest.py

Reads the folder `ingest.raw_dir` if `ingest.source` is `tgs`; writes data/ingest (crops.parquet,
train_images.npy, train_masks.npy, test_images.npy), data/truth (the survey's test masks, which
only submit may read; empty with real data) and results/plots/ingest/crops.png.
"""

import os
import shutil
from dataclasses import asdict
from pathlib import Path

from saltseg.census import count_crops, spread_over_coverage
from saltseg.crops import CropSet, save_crops
from saltseg.errors import one_line_errors
from saltseg.figures import TRUTH, contact_sheet
from saltseg.layout import Layout
from saltseg.params import Params, load_params
from saltseg.tgs import FileCounts, read_raw
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    with stage_run("ingest", layout, params) as run:
        crops, file_counts = obtain(layout, params)
        save_crops(emptied(layout.data("ingest")), crops)
        run.metrics({**count_crops(crops), "files": asdict(file_counts)})
        figure = layout.plots("ingest") / "crops.png"
        draw(figure, crops)
        run.artifact(figure)


def obtain(layout: Layout, params: Params) -> tuple[CropSet, FileCounts]:
    """Return the crops of the source that the parameters name; keep the survey's truths apart."""
    workers = params.runtime.workers or os.cpu_count() or 1
    truth = emptied(layout.truth)
    if params.ingest.source == "tgs":
        return read_raw(layout.root / params.ingest.raw_dir, workers)
    from saltseg.survey import generate, write_truth  # scipy loads only for the survey

    survey = generate(params.survey.train, params.survey.test, params.base.seed, workers)
    write_truth(truth, survey)
    return survey.crops, FileCounts()


def emptied(folder: Path) -> Path:
    """Make `folder` anew, so that nothing of an older run stays in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def draw(path: Path, crops: CropSet) -> None:
    """Draw 64 train crops with the outline of their salt, from the least to the most."""
    rows = spread_over_coverage(crops.train_masks, 64)
    train = crops.train.iloc[rows]
    titles = [f"{key}  {depth} ft" for key, depth in zip(train["id"], train["depth"], strict=True)]
    contact_sheet(path, crops.train_images[rows], [(crops.train_masks[rows], TRUTH)], titles)


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
