"""snapshot-ensemble: average the predictions of all snapshots and members.

    python stages/snapshot_ensemble.py

Reads the crops, the folds and models/; writes data/snapshot-ensemble: out_of_fold.npy and
test.npy (float16 probabilities) and out_of_fold.parquet (id, fold, row).
"""

from pathlib import Path

import numpy as np

from saltseg.config.params import load_params
from saltseg.crops.crop_set import CropSet, load_crops, load_table
from saltseg.inference.ensemble import Ensemble, average, find_snapshots
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import write_array, write_table
from saltseg.plumbing.layout import Layout
from saltseg.project.trained_models import check_models, remove_strangers
from saltseg.scoring.metric import precision
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    with stage_run("snapshot-ensemble", layout, params) as run:
        snapshots = find_snapshots(layout, params)
        check_models(layout, params)
        for folder in remove_strangers(layout, params):
            print(
                f"snapshot-ensemble: {folder} is of another run: removed here; DVC's cache keeps"
                " it, and a run of its parameters brings it back without training"
            )
        crops = load_crops(layout.data("ingest"))
        folds = load_table(layout.data("fold-split") / "folds.parquet")
        ensemble = average(params, crops, folds, snapshots)
        save(layout.data("snapshot-ensemble"), ensemble)
        count = sum(len(paths) for paths in snapshots.values())
        run.metrics({"snapshots": count, **scores(ensemble, crops)})


def save(folder: Path, ensemble: Ensemble) -> None:
    """Write the probabilities in half precision, and the table."""
    write_array(folder / "out_of_fold.npy", ensemble.out_of_fold.astype(np.float16))
    write_array(folder / "test.npy", ensemble.test.astype(np.float16))
    write_table(folder / "out_of_fold.parquet", ensemble.table)


def scores(ensemble: Ensemble, crops: CropSet) -> dict[str, float]:
    """Return the out-of-fold score at p > 0.5, of the mean and of each member."""
    truth = crops.train_masks[ensemble.table["row"].to_numpy()]
    all_scores = {"score_at_half": precision(ensemble.out_of_fold > 0.5, truth)}
    for member, probabilities in ensemble.members.items():
        all_scores[f"score_at_half_{member}"] = precision(probabilities > 0.5, truth)
    return {name: float(values.mean()) for name, values in all_scores.items()}


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
