"""Measures the memory and time that a large SEG-Y takes, from file to outputs.

    python -m benchmarks.survey_memory FOLDER [--gigabytes 4] [--samples 1000]

Writes FOLDER/large.sgy, repeats of a synthetic volume, and a model with a network of two layers, so
that reading, blending and writing take the time, and runs `saltseg inspect` and `saltseg predict`
on them. Needs about three times the file's size of free space; FOLDER is left to be looked at.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import segyio
import yaml

from saltseg.config.model_definitions import PlainCnnModel
from saltseg.models import create_model, survey_model
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.files import read_json, write_json
from saltseg.survey.sections import make_section

GIGA = 1 << 30
TRACE_HEADER, SAMPLE = 240, 4
SIDE = 540


def write_survey(path: Path, size: int, samples: int) -> tuple[int, int]:
    """Write a square survey of about `size` bytes, trace by trace in IEEE floats; return its grid.

    Its sections are one synthetic section, shifted from inline to inline.
    """
    side = int((size / (TRACE_HEADER + SAMPLE * samples)) ** 0.5)
    tiles = -(-samples // SIDE), -(-side // SIDE)
    section = np.tile(make_section(7, 2).amplitude.astype(np.float32), tiles)[:samples, :side].T
    spec = segyio.spec()
    spec.format, spec.samples = 5, np.arange(samples)
    spec.tracecount = side * side
    with segyio.create(str(path), spec) as file:
        file.bin[segyio.BinField.Interval] = 4000
        for inline in range(side):
            traces = np.ascontiguousarray(np.roll(section, inline, axis=0))
            for crossline in range(side):
                at = inline * side + crossline
                file.header[at] = {189: inline + 1, 193: crossline + 1}
                file.trace[at] = traces[crossline]
    return side, side


def write_model(folder: Path) -> None:
    """Write the model that comes with saltseg, its network replaced by one of two layers."""
    content = yaml.safe_load((survey_model.FOLDER / "params.yaml").read_text(encoding="utf-8"))
    (name,) = content["train_per_fold"]["members"]
    given = content["models"][name]["input"]
    small = {"architecture": "plain_cnn", "filters": 4, "layers": 2, "input": given}
    content["models"][name] = small
    folder.mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    network = create_model(PlainCnnModel(**small), 0, None)
    save_snapshots(folder / "models" / name / "0", [network.state_dict()])
    write_json(folder / "model.json", read_json(survey_model.FOLDER / "model.json"))


def measured(*arguments: str) -> tuple[float, float, float]:
    """Run a command of saltseg; return its minutes, and its peak memory in GiB, of it its own.

    Not its own are the parts of files that it maps: the system takes them back where it needs them.
    """
    started, peak, own = time.monotonic(), 0, 0
    command = [sys.executable, "-m", "saltseg", *arguments]
    with psutil.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                memory = process.memory_info()
                peak = max(peak, memory.rss)
                own = max(own, memory.rss - getattr(memory, "shared", 0))
            except psutil.NoSuchProcess:
                break
            time.sleep(0.05)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}")
    return (time.monotonic() - started) / 60, peak / GIGA, own / GIGA


def main() -> None:
    """Write the survey and the model, and print a table."""
    parser = argparse.ArgumentParser(description="Memory of a large survey.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--samples", type=int, default=1000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    path, model = given.folder / "large.sgy", given.folder / "model"
    grid = write_survey(path, int(given.gigabytes * GIGA), given.samples)
    write_model(model)
    size = path.stat().st_size / GIGA
    print(
        f"{path}: {size:.2f} GiB, {grid[0]:,} x {grid[1]:,} traces of {given.samples:,} samples\n"
    )
    print("| command | minutes | peak memory, GiB | its own |\n|---|---|---|---|")
    for name, *arguments in (
        ("inspect", str(path), "--model", str(model)),
        ("predict", str(path), "--model", str(model), "--out", str(given.folder / "out")),
    ):
        minutes, memory, own = measured(name, *arguments)
        print(f"| {name} | {minutes:.1f} | {memory:.2f} | {own:.2f} |", flush=True)


if __name__ == "__main__":
    main()
