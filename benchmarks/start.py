"""How long the stages that train nothing take to start, beside bare numpy and pandas.

    python benchmarks/start.py [REPEATS]

Each repeat starts every stage's imports once, in turn; medians and what they are beyond the bare.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

BARE = "numpy and pandas"
STAGES = [
    "ingest",
    "coverage_stratify",
    "fold_split",
    "threshold_search",
    "postprocess_connected_components",
    "submit",
]


def seconds(statement: str) -> float:
    started = time.perf_counter()
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", statement], cwd=root, check=True)
    return time.perf_counter() - started


def main(repeats: int) -> None:
    statements = {BARE: "import numpy, pandas"}
    statements |= {stage: f"import stages.{stage}" for stage in STAGES}
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(repeats):
        for name, statement in statements.items():
            times[name].append(seconds(statement))
    bare = statistics.median(times[BARE])
    for name, measured in times.items():
        median = statistics.median(measured)
        print(f"{name:34s} {median:5.2f} s  {median - bare:+5.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
