"""Time and memory of every stage as the number of crops grows, each in a process of its own.

python -m benchmarks.parts.growth FOLDER STAGE [ITEM...]
"""

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
import yaml

from benchmarks.side_by_side import ROOT, Row, duration, megabytes
from benchmarks.smooth_crops import images, probabilities_and_truths
from saltseg.crops.crop_set import CropSet, crop_table
from saltseg.plumbing.layout import Layout
from saltseg.survey import SurveySet
from saltseg.survey.kaggle import write_kaggle_layout

SIZES = (500, 2_000, 8_000, 18_000)
"""Test crops; there are 2/9 as many train crops, as in the competition."""
STAGES = (
    "ingest",
    "coverage_stratify",
    "fold_split",
    "pseudolabel 0",
    "train_per_fold class_unet 0",
    "snapshot_ensemble",
    "threshold_search",
    "postprocess_connected_components",
    "submit",
)
MEMORY_LIMIT = 6_000
REPEATS = 3
STRAIGHT = 1.25
"""How many times the straight line's seconds a stage may take at the largest size."""


def rows() -> list[Row]:
    """Run the stages on few crops and on many; a row for each stage."""
    with TemporaryDirectory() as name:
        roots = {size: Path(name) / str(size) for size in SIZES}
        for size, root in roots.items():
            root.mkdir()
            write_inputs(root, size)
        return [stage_row(stage, in_rounds(stage, list(roots.values()))) for stage in STAGES]


def in_rounds(stage: str, roots: list[Path]) -> list[tuple[float, float]]:
    """Measure a stage at all sizes in turn, so that a machine that tires tires for all of them."""
    rounds = [[measure(stage, root) for root in roots] for _ in range(REPEATS)]
    return [middle(of_size) for of_size in zip(*rounds, strict=True)]


def stage_row(stage: str, measured: list[tuple[float, float]]) -> Row:
    """Say times and memories at all sizes, and how far the last time is off the line before it.

    The line goes through the smallest size and the last but one. Slopes would not do: those of a
    stage that mostly starts are noise.
    """
    times = [time for time, _ in measured]
    slope = (times[-2] - times[0]) / (SIZES[-2] - SIZES[0])
    bend = times[-1] / (times[-2] + max(slope, 0) * (SIZES[-1] - SIZES[-2]))
    peak = max(memory for _, memory in measured)
    return Row(
        stage.partition(" ")[0].replace("_", "-"),
        "",
        " / ".join(duration(time) for time in times),
        " / ".join(megabytes(memory) for _, memory in measured),
        f"{bend:.2f}",
        f"bend under {STRAIGHT}, {megabytes(MEMORY_LIMIT)}",
        bend < STRAIGHT and peak < MEMORY_LIMIT,
    )


def middle(measured: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the median of the seconds, and the largest memory."""
    times, memories = zip(*measured, strict=True)
    return median(times), max(memories)


def write_inputs(root: Path, size: int) -> None:
    """Write crops as Kaggle does, and parameters with the smallest networks."""
    from saltseg.config.recipes import read_recipe  # not in a stage's process, whose memory counts

    layout, train = Layout(root), size * 2 // 9
    content = read_recipe(Layout(ROOT), "demo").model_dump(exclude_unset=True)
    content["ingest"]["source"] = "tgs"
    content["models"]["class_unet"]["filters"] = 2
    content["train_per_fold"] |= {"members": ["class_unet"], "folds": [0]}
    content["pseudolabel"] |= {"teacher": "class_unet", "min_confidence": 0.0}
    for phase in content["pseudolabel"]["phases"] + content["train_per_fold"]["phases"]:
        (settings,) = phase["schedule"].values()
        settings["epochs"] = 1
    layout.params.write_text(yaml.safe_dump(content, sort_keys=False))
    (root / "requirements.lock").write_text((ROOT / "requirements.lock").read_text())
    pixels, truth = images(size + train), probabilities_and_truths(train)[1]
    names = [f"{number:010x}" for number in range(size + train)]
    depths = np.random.default_rng(0).integers(50, 960, size + train)
    tables = pd.DataFrame({"id": names, "depth": depths})
    table = crop_table(tables[:train], tables[train:].reset_index(drop=True), names[train:])
    crops = CropSet(table, pixels[:train], truth, pixels[train:])
    unknown = np.zeros(crops.test_images.shape, bool)
    raw = root / content["ingest"]["raw_dir"]
    write_kaggle_layout(raw, SurveySet(crops, unknown, pd.DataFrame()))


def measure(stage: str, root: Path) -> tuple[float, float]:
    """Return seconds and the largest memory in MB of a stage, without the imports at its top."""
    command = [sys.executable, "-m", "benchmarks.parts.growth", str(root), *stage.split()]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def run(root: Path, stage: str, *items: str) -> None:
    """Run one stage in this process and print what it took."""
    main = import_module(f"stages.{stage}").main
    started = perf_counter()
    main(root, *[int(item) if item.isdigit() else item for item in items])
    spent = perf_counter() - started
    print(json.dumps([spent, largest_memory()]))


def largest_memory() -> float:
    """Return the most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # Linux counts into ru_maxrss what the process before, that started this one, has held.
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    run(Path(sys.argv[1]), *sys.argv[2:])
