"""ingest: read and check the raw crops, cut one's own data, or make the embedded survey.

    python stages/ingest.py

Reads the folder `ingest.raw_dir` if `ingest.source` is `tgs` or `own`; writes data/ingest (a
CropSet), data/truth (the survey's test masks, for submit alone) and data/pretraining (another
survey).
"""

import shutil
from dataclasses import asdict
from pathlib import Path

from saltseg.config.own import Own
from saltseg.config.params import Params, load_params
from saltseg.crops.census import count_crops
from saltseg.crops.crop_set import CropSet, require_depths, save_crops
from saltseg.crops.tgs import FileCounts, read_raw
from saltseg.own.own_set import OwnCounts, read_own
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.machine import cpus
from saltseg.reports.training_crops_figure import draw_training_crops
from saltseg.survey import generate, write_pretraining, write_truth
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    with stage_run("ingest", layout, params) as run:
        workers, wanted, seed = params.runtime.workers or cpus(), params.survey, params.base.seed
        crops, file_counts = obtain(layout, params, workers)
        require_depths(crops.table, params.used_models)
        save_crops(layout.data("ingest"), crops)
        write_pretraining(layout.pretraining, wanted.pretraining, seed, workers, wanted.style)
        run.metrics({**count_crops(crops), "files": asdict(file_counts)})
        run.artifact(draw_training_crops(layout.plots("ingest") / "crops.png", crops))


def obtain(layout: Layout, params: Params, workers: int) -> tuple[CropSet, FileCounts | OwnCounts]:
    """Return the crops of the source that the parameters name; keep the survey's truths apart."""
    shutil.rmtree(layout.truth, ignore_errors=True)
    layout.truth.mkdir(parents=True)
    folder = layout.root / params.ingest.raw_dir
    if params.ingest.source == "tgs":
        return read_raw(folder, workers)
    if params.ingest.source == "own":
        return read_own(folder, params.ingest.own or Own(), params.base.seed)
    wanted = params.survey
    survey = generate(wanted.train, wanted.test, params.base.seed, workers, wanted.style)
    write_truth(layout.truth, survey)
    return survey.crops, FileCounts()


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
