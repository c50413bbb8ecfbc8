"""How fast the survey makes crops, in one process and in several.

    python -m benchmarks.survey_speed [--crops 400] [--workers 2] [--many 4000]

`--many 0` leaves out the several processes.
"""

import argparse
import resource

from benchmarks.side_by_side import seconds
from saltseg.survey import generate


def peak_memory() -> float:
    """Return the largest memory of any one process so far, in MB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024


def main() -> None:
    """Print crops per second on one core, and the wall time of many crops on several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--many", type=int, default=4000)
    options = parser.parse_args()
    generate(1, 1, seed=0, workers=0)  # the first call loads and warms up
    count = options.crops
    alone = seconds(lambda: generate(count, 1, seed=1, workers=0))
    print(f"survey, one process: {count / alone:.1f} crops/s ({count} crops in {alone:.1f} s)")
    if options.many:
        many = seconds(lambda: generate(options.many, 1, seed=1, workers=options.workers))
        print(f"survey, {options.workers} processes: {options.many:,} crops in {many:.1f} s")
    print(f"largest process: {peak_memory():.0f} MB")


if __name__ == "__main__":
    main()
