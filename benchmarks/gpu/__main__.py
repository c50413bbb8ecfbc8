"""What a GPU makes of the recipes' networks, in the minutes that one has of it.

    python -m benchmarks.gpu FOLDER [--minutes 12] [--raw FOLDER] [--device cpu --small]

Steps of each network of `gpu`, `place1`, `best` and `place28` (memory, NaN, the same bytes twice);
crops a second against the card's limit, with one job and several; torch.compile and CUDA graphs;
then `gpu` on one fold, on Kaggle's files (--raw) or the synthetic survey, with as many epochs as
time is left for. Each part has a process and a share of the time of its own; one that fails or runs
out of time is recorded so, with what it had found. FOLDER gets report.md, results.json, a log and
the rows of each part: at most 60 MB, in files under 16 MB. ImageNet weights of ResNet-34 are taken
from weights/resnet34.safetensors, if they are there.
"""

import argparse
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.gpu.plan import SHARES, allotted, run_part
from benchmarks.gpu.report import write_report
from benchmarks.gpu.settings import Settings


def main() -> None:
    """Run all parts in turn, or, told so by the parent process, one of them."""
    if sys.argv[1:2] == ["--part"]:
        part, told = sys.argv[2:]
        import_module(f"benchmarks.gpu.{part}").measure(Settings.read(told))
        return
    options = read_options()
    where = place(options.device)
    if where is None:
        sys.exit("this machine has no CUDA GPU; try the measurement out with --device cpu --small")
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    if any(options.folder.iterdir()):
        sys.exit(f"{options.folder}: is not empty; name a new folder")
    settings = Settings(str(options.folder), options.device, options.small, 0.0, options.raw)
    started, budget, outcomes = time.monotonic(), 60 * options.minutes, []
    for part in SHARES:
        seconds = allotted(part, budget, time.monotonic() - started)
        outcomes.append(run_part(part, settings, seconds))
        print(f"{part}: {outcomes[-1].ended}, {outcomes[-1].seconds:.0f} s", flush=True)
        write_report(options.folder, outcomes, where)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="new folder for the results")
    parser.add_argument("--minutes", type=float, default=12.0, help="time for everything")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny networks, to try it out")
    parser.add_argument("--raw", metavar="FOLDER", help="Kaggle's files, for the fold")
    options = parser.parse_args()
    if options.minutes <= 0:
        parser.error(f"--minutes: {options.minutes:g} leaves no time; give more than 0")
    if options.raw and not Path(options.raw).is_dir():
        parser.error(f"--raw: {options.raw} is no folder")
    return options


def place(device: str) -> str | None:
    """Return what is measured on; None if this machine has no such device."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or "CPU"
    return f"{name}, torch {torch.__version__}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
