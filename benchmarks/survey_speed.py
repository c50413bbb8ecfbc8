"""How fast the survey makes crops, in one and in several processes, and a volume in one.

    python -m benchmarks.survey_speed [--crops 400] [--workers 2] [--many 4000] [--volume 200]

`--many 0` leaves out the several processes, `--volume 0` the volume.
"""

import argparse
import resource
import time
from collections import deque

from benchmarks.side_by_side import seconds
from saltseg.survey import generate
from saltseg.survey.grid import Grid
from saltseg.survey.volumes import draw_volume, make_blocks


def peak_memory() -> float:
    """Return the peak memory of any single process so far, in MB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024


def print_volume(side: int) -> None:
    """Print wall and processor time of a cube on one core."""
    started = time.process_time()
    wall = seconds(lambda: deque(make_blocks(draw_volume(1, Grid(side, side, side)), side, 0), 0))
    used = time.process_time() - started
    print(f"volume of {side} cubed, one process: {wall:.0f} s, {used:.0f} s of one core")


def main() -> None:
    """Print crops per second on one core, and the wall time of many crops on several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--many", type=int, default=4000)
    parser.add_argument("--volume", type=int, default=200, help="sides in samples")
    options = parser.parse_args()
    generate(1, 1, seed=0, workers=0)  # the first call warms up
    count = options.crops
    alone = seconds(lambda: generate(count, 1, seed=1, workers=0))
    print(f"survey, one process: {count / alone:.1f} crops/s ({count} crops in {alone:.1f} s)")
    if options.many:
        many = seconds(lambda: generate(options.many, 1, seed=1, workers=options.workers))
        print(f"survey, {options.workers} processes: {options.many:,} crops in {many:.1f} s")
    if options.volume:
        print_volume(options.volume)
    print(f"largest process: {peak_memory():.0f} MB")


if __name__ == "__main__":
    main()
