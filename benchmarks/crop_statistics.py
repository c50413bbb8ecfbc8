"""Compute the statistics of the embedded survey's crops that `saltseg inspect` compares with.

python -m benchmarks.crop_statistics   # half a minute
"""

import argparse

from saltseg.plumbing.files import write_json
from saltseg.seismic.learned_crops import SURVEY_CROPS, as_json
from saltseg.seismic.windows import describe_windows
from saltseg.survey import generate


def main() -> None:
    """Write them beside the package's modules, and print them."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    made = generate(train=200, test=1, seed=2018, workers=2)
    statistics = describe_windows(made.crops.train_images)
    if statistics is not None:
        write_json(SURVEY_CROPS, as_json(statistics))
        print(SURVEY_CROPS.read_text(), end="")


if __name__ == "__main__":
    main()
