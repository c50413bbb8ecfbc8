"""Start-up time of the stages that train nothing, against importing numpy and pandas."""

import subprocess
import sys
from statistics import median

from benchmarks.side_by_side import ROOT, Row, duration, fact_row, in_turn

BARE = "numpy and pandas"
STAGES = [
    "ingest",
    "coverage_stratify",
    "fold_split",
    "threshold_search",
    "postprocess_connected_components",
    "submit",
]
DRAWN = "matplotlib.figure, matplotlib.backends.backend_agg"
LATER = {
    "coverage_stratify": DRAWN,
    "fold_split": f"{DRAWN}, sklearn.model_selection",
    "threshold_search": DRAWN,
}
"""What a stage imports only where it needs it, and by default does, beside TABLES."""
TABLES = "pyarrow.parquet"
LIBRARY = "of fold-split's, what scikit-learn takes by itself, numpy and pandas included"
LIMIT = 1.5


def rows() -> list[Row]:
    """Import all that every stage needs once a round."""
    statements = {BARE: "import numpy, pandas", LIBRARY: "import pandas, sklearn.model_selection"}
    statements |= {
        stage: f"import stages.{stage}, {LATER.get(stage, TABLES)}, {TABLES}" for stage in STAGES
    }
    works = {name: lambda code=code: start(code) for name, code in statements.items()}
    times = {name: median(found) for name, found in in_turn(works, 5).items()}
    found = [
        Row(
            f"start of {stage.replace('_', '-')}",
            BARE,
            duration(times[stage]),
            duration(times[BARE]),
            f"{times[stage] - times[BARE]:+.2f} s",
            f"within {LIMIT} s",
            times[stage] - times[BARE] < LIMIT,
        )
        for stage in STAGES
    ]
    return [*found, fact_row(LIBRARY, duration(times[LIBRARY]))]


def start(statement: str) -> None:
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
