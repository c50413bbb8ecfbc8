"""How far probabilities are what they say, as a table and as a picture."""

from pathlib import Path

import numpy as np
import pandas as pd

from saltseg.plumbing.files import write_csv
from saltseg.reports.charts import chart
from saltseg.reports.palette import BLUE, INK, ORANGE, shade
from saltseg.selection.calibration import Reliability


def draw_reliability(folder: Path, before: Reliability, after: Reliability) -> None:
    """Write reliability.csv and reliability.png to `folder`: before and after calibration."""
    tables = [
        pd.DataFrame(
            {"calibrated": name, "said": found.said, "salt": found.salt, "share": found.share}
        )
        for name, found in (("no", before), ("yes", after))
    ]
    table = pd.concat(tables, ignore_index=True)
    write_csv(folder / "reliability.csv", table[table["share"] > 0])
    title = "Out-of-fold pixels by their probability"
    with chart(folder / "reliability.png", "probability", "share that is salt", title) as axes:
        label = "perfectly calibrated"
        axes.plot([0, 1], [0, 1], color=shade(INK), linestyle="--", linewidth=1, label=label)
        for name, found, colour in (("before", before, BLUE), ("calibrated", after, ORANGE)):
            held = np.isfinite(found.said)
            label = f"{name}: expected error {found.error:.4f}"
            axes.plot(
                found.said[held], found.salt[held], marker="o", color=shade(colour), label=label
            )
