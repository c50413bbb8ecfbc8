"""How fast the survey makes crops, in one process and in several.

    python benchmarks/survey_speed.py [--crops 400] [--workers 2] [--many 4000] [--other FILE]

`--other` names a module with `dataset(crops, seed)`, another generator of crops, that is measured
in the same run.
"""

import argparse
import importlib.util
import resource
import time
from collections.abc import Callable
from pathlib import Path

from saltseg.survey import generate


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of `work`."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_memory() -> float:
    """Return the largest memory of any one process so far, in MB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024


def other_generator(path: Path) -> Callable[[int, int], object]:
    """Load the function `dataset` of a file."""
    spec = importlib.util.spec_from_file_location("other", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dataset: Callable[[int, int], object] = module.dataset
    return dataset


def main() -> None:
    """Print crops per second on one core, and the wall time of many crops on several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--many", type=int, default=4000)
    parser.add_argument("--other", type=Path)
    options = parser.parse_args()
    generate(1, 1, seed=0, workers=0)  # the first call loads and warms up
    count = options.crops
    alone = seconds(lambda: generate(count, 1, seed=1, workers=0))
    print(f"survey, one process: {count / alone:.1f} crops/s ({count} crops in {alone:.1f} s)")
    if options.other:
        dataset = other_generator(options.other)
        other = seconds(lambda: dataset(count, 1))
        print(f"other, one process: {count / other:.1f} crops/s; survey is {other / alone:.1f} x")
    if options.many:
        many = seconds(lambda: generate(options.many, 1, seed=1, workers=options.workers))
        print(f"survey, {options.workers} processes: {options.many:,} crops in {many:.1f} s")
    print(f"largest process: {peak_memory():.0f} MB")


if __name__ == "__main__":
    main()
