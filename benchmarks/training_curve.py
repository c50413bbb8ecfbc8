"""The score of a finished training over time, in this checkout.

    python benchmarks/training_curve.py [--figure FILE]

Run it where dvc trained one member, on one fold or several; the record in mlruns/ holds the times.
Two scores over the held-out crops: after each epoch that at p > 0.5 without flips, as the training
saw it, mean over the folds; and after each snapshot that of the mean over the snapshots so far,
with the flips and views of the parameters and a nested threshold. Minutes count from the start of
a fold's stage to the end of an epoch, its scoring included, and are the mean over the folds.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import CropSet, depth, load_crops
from saltseg.inference.ensemble import find_snapshots, load_parts
from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.reports.charts import chart
from saltseg.scoring.metric import Scores, precision_curve
from saltseg.selection import nested_choice as thresholds
from saltseg.selection.out_of_fold import load_out_of_fold
from saltseg.tracking.archive import Archive

ONE_VIEW = "one network, p > 0.5"
ENSEMBLE = "snapshots so far, nested"


def minutes_by_epoch(layout: Layout, member: str, fold: int) -> pd.Series:
    """Return the minutes from the start of the last such training to the end of each epoch."""
    client = Archive(layout.mlruns).client
    name = f"train-per-fold {member} {fold}"
    runs = client.search_runs(
        [each.experiment_id for each in client.search_experiments()],
        f"attributes.run_name = '{name}'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if not runs:
        raise InputError(f"mlruns: no run {name!r}; train it here first")
    points = client.get_metric_history(runs[0].info.run_id, "validation_score")
    times = {point.step: (point.timestamp - runs[0].info.start_time) / 60000 for point in points}
    return pd.Series(times, name="minutes").sort_index()


def nested_scores(params: Params, layout: Layout, crops: CropSet) -> Iterator[float]:
    """Yield the nested score of each fold's first snapshot, of the first two, and so on."""
    snapshots = find_snapshots(layout, params)
    known = load_out_of_fold(layout)
    for count in range(1, min(map(len, snapshots.values())) + 1):
        parts = load_parts(params, {key: paths[:count] for key, paths in snapshots.items()})
        values = np.empty(known.probabilities.shape, np.float16)
        for (_, fold), part in zip(snapshots, parts, strict=True):
            lines = np.flatnonzero(known.table["fold"] == fold)
            rows = known.table["row"].to_numpy()[lines]
            values[lines] = part.predict(crops.train_images[rows], depth(crops.train)[rows])
        yield float(nested(params, values, known.truth, known.parts).mean())


def nested(
    params: Params,
    probabilities: npt.NDArray[np.float16],
    truth: npt.NDArray[np.bool_],
    parts: npt.NDArray[np.int64],
) -> Scores:
    """Return each crop's precision where its part's threshold was chosen on the others."""
    search = params.threshold_search
    grid = thresholds.threshold_grid(search.low, search.high, search.count)
    curve = precision_curve(probabilities, truth, grid)
    best = partial(thresholds.best_threshold, grid=grid)
    return thresholds.choose(curve, parts, best).scores


def training_curve(params: Params, layout: Layout) -> pd.DataFrame:
    """Return a line per epoch: minutes and both scores, the second if it is known.

    Raises InputError where there are several members: their epochs have no common scores.
    """
    member, *others = params.train_per_fold.members
    if others:
        raise InputError("params.yaml: train_per_fold.members: name one member")
    folds = params.train_per_fold.held_out
    files = [layout.plots("train-per-fold", member, fold) / "history.csv" for fold in folds]
    lines = [pd.read_csv(file).set_index("epoch") for file in files]
    minutes = [minutes_by_epoch(layout, member, fold) for fold in folds]
    curve = pd.DataFrame({"minutes": pd.concat(minutes, axis=1).mean(axis=1)})
    precision = [each["validation_score"] for each in lines]
    curve[ONE_VIEW] = pd.concat(precision, axis=1).mean(axis=1)
    scores = nested_scores(params, layout, load_crops(layout.data("ingest")))
    curve.loc[lines[0].index[lines[0]["snapshot"] == 1], ENSEMBLE] = list(scores)
    return curve.rename_axis("epoch").reset_index()


def draw(path: Path, curve: pd.DataFrame) -> None:
    """Draw both scores over the minutes."""
    with chart(path, "minutes of a fold", "precision", "Score against time") as axes:
        axes.grid(alpha=0.3)
        scored = curve[curve[ONE_VIEW].notna()]
        axes.plot(scored["minutes"], scored[ONE_VIEW], label=ONE_VIEW)
        known = curve[curve[ENSEMBLE].notna()]
        axes.plot(known["minutes"], known[ENSEMBLE], "o-", label=ENSEMBLE)


def main(figure: Path | None) -> None:
    layout = Layout(Path())
    curve = training_curve(load_params(layout.params), layout)
    print(curve.round(4).to_string(index=False, na_rep=""))
    if figure:
        draw(figure, curve)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Score against minutes of a finished training.")
    parser.add_argument("--figure", type=Path, help="draw the curve into this PNG")
    with one_line_errors():
        main(parser.parse_args().figure)
