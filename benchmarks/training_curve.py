"""The score of a finished training against the minutes that it took, in this checkout.

    python benchmarks/training_curve.py [--figure FILE]

Run it where dvc trained one member on one fold; the record in mlruns/ holds the times. Two scores:
after each epoch the held-out fold's at p > 0.5 without flips, as the training saw it; and after
each snapshot that of the mean over the snapshots so far, with the flips and views of the
parameters and a nested threshold. Minutes count from the start of the stage to the end of an
epoch, its scoring included.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg import thresholds
from saltseg.crops import CropSet, depth, load_crops
from saltseg.ensemble import find_snapshots, load_parts
from saltseg.errors import InputError, one_line_errors
from saltseg.figures import chart
from saltseg.layout import Layout
from saltseg.metric import Scores, precision_curve
from saltseg.out_of_fold import load_out_of_fold
from saltseg.params import Params, load_params
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
    points = client.get_metric_history(runs[0].info.run_id, "validation_precision")
    times = {point.step: (point.timestamp - runs[0].info.start_time) / 60000 for point in points}
    return pd.Series(times, name="minutes").sort_index()


def nested_scores(params: Params, layout: Layout, crops: CropSet) -> Iterator[float]:
    """Yield the nested score of the first snapshot, of the first two, and so on."""
    (key, paths), *others = find_snapshots(layout, params).items()
    if others:
        raise InputError("params.yaml: train_per_fold: name one member and one fold")
    known = load_out_of_fold(layout)
    rows = known.table["row"].to_numpy()
    for count in range(1, len(paths) + 1):
        (part,) = load_parts(params, {key: paths[:count]})
        values = part.predict(crops.train_images[rows], depth(crops.train)[rows])
        scores = nested(params, values.astype(np.float16), known.truth, known.parts)
        yield float(scores.mean())


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
    return thresholds.choose(curve, parts, thresholds.middle_of_plateau).scores


def training_curve(params: Params, layout: Layout) -> pd.DataFrame:
    """Return a line for each epoch: minutes, and both scores; the second where it is known."""
    member, fold = params.train_per_fold.members[0], params.train_per_fold.folds[0]
    history = layout.plots("train-per-fold", member, fold) / "history.csv"
    lines = pd.read_csv(history).set_index("epoch")
    curve = pd.DataFrame(minutes_by_epoch(layout, member, fold))
    curve[ONE_VIEW] = lines["validation_precision"]
    scores = nested_scores(params, layout, load_crops(layout.data("ingest")))
    curve.loc[lines.index[lines["snapshot"] == 1], ENSEMBLE] = list(scores)
    return curve.rename_axis("epoch").reset_index()


def draw(path: Path, curve: pd.DataFrame) -> None:
    """Draw both scores over the minutes."""
    with chart(path, "minutes", "precision", "Score against time") as axes:
        axes.grid(alpha=0.3)
        axes.plot(curve["minutes"], curve[ONE_VIEW], label=ONE_VIEW)
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
