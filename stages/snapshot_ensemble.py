"""snapshot-ensemble: average the predictions of all snapshots and members.

    python stages/snapshot_ensemble.py

Reads the crops, the folds, models/ and, where parameters name them, predictions of other systems
in outside/; writes data/snapshot-ensemble: out_of_fold.npy and test.npy (float16 probabilities; of
no test crops without predict_test), out_of_fold.parquet (id, fold, row), member_weights.json.
"""

from pathlib import Path

from saltseg.config.params import load_params
from saltseg.config.schema import ALL
from saltseg.crops.crop_set import load_crops, load_table
from saltseg.inference.ensemble import average, find_snapshots, load_outside_members
from saltseg.inference.weighted_ensemble import average_greedily
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.project.trained_models import check_models, remove_stale_outputs
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    with stage_run("snapshot-ensemble", layout, params) as run:
        snapshots = find_snapshots(layout, params)
        check_models(layout, params)
        for stale in remove_stale_outputs(layout, params):
            print(
                f"snapshot-ensemble: removed {stale}, which belongs to another run; it stays in"
                " DVC's cache, and a run with its parameters restores it without training"
            )
        crops = load_crops(layout.data("ingest"))
        if not params.snapshot_ensemble.predict_test:
            crops = crops.without_test()
        folds = load_table(layout.data("fold-split") / "folds.parquet")
        outside = load_outside_members(layout, params, crops, folds)
        for name in (name for name, member in outside.items() if not member.folds_known):
            print(f"snapshot-ensemble: {name}: out_of_fold.csv has no column fold; if it held out"
                  " other crops than this run, the score is too good")  # fmt: skip
        if outside:
            print(
                "snapshot-ensemble: members from outside predict no new crops: no model is logged"
            )
        predict = average_greedily if params.snapshot_ensemble.greedy_weights else average
        ensemble = predict(params, crops, folds, snapshots, outside)
        ensemble.save(layout.data("snapshot-ensemble"))
        if ALL in params.train_per_fold.folds:
            print("snapshot-ensemble: test crops are predicted by networks that no score covers")
        count = sum(len(paths) for paths in snapshots.values())
        weights = ensemble.weights.metrics() if ensemble.weights else {}
        run.metrics({"snapshots": count, **ensemble.scores(crops.train_masks), **weights})


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
