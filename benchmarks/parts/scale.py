"""What a Ray cluster costs: its start, an item of a training, many bricks, two workers beside one.

Two nodes of one CPU each on this machine, as in tests/cluster, with a remote in a folder.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
import yaml

from benchmarks.side_by_side import ROOT, Row, duration, megabytes, seconds
from saltseg.cluster.code_shipment import pack_code
from saltseg.cluster.dealing import Dealer
from saltseg.cluster.item_outputs import restore_outputs
from saltseg.cluster.item_task import ItemJob, run_item
from saltseg.cluster.node import Versions, unpacked
from saltseg.cluster.ray_cluster import RayCluster, Share, connected
from saltseg.cluster.shared_folder import SharedFolder
from saltseg.seismic.choices import Along, ScaleOf, SurveyChoices
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.scaling import measure_scale
from saltseg.serving.survey_worker import SurveyTask
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout, make_checkout
from tests.helpers.ray_nodes import RayNodes, ray_nodes

STRAIGHT = 1.25
"""Largest ratio of the time a brick at the larger number to that at the smaller."""

WORK = 1.0
"""Seconds that an item works, so that they can be told from the rest."""

STAGE = f"""
stages:
  item:
    matrix: {{number: [0, 1, 2]}}
    cmd: >-
      mkdir -p made && date +%s.%N > made/${{item.number}} && sleep {WORK} &&
      date +%s.%N >> made/${{item.number}}
    deps: [data/crops.npy, src]
    outs: ["made/${{item.number}}"]
"""
STEPS = {
    "from submission to a process on the node": ("submitted", "began"),
    "to the item's command: checkout, inputs by hash, start of dvc": ("began", "command"),
    "after the command: outputs pushed": ("ended", "done"),
    "outputs brought to the driver": ("done", "restored"),
}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    bricks: tuple[int, int]
    busy: int
    """Pieces of the comparison of two workers with one."""


FULL, SMALL = Size((10_000, 100_000), 200), Size((1_000, 10_000), 30)
SIDE = 16
"""Traces of a brick, and samples of a trace: small, so that its handling is what is measured."""
LOOKS = 100
"""Times that memory is looked at while bricks are dealt out."""

STARTS = 3
LOCAL = """
import json, time
started = time.perf_counter()
import ray
quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "critical"}
ray.init("local", num_cpus=1, **quiet)
there = time.perf_counter()
ray.get(ray.remote(lambda: None).remote())
print(json.dumps([there - started, time.perf_counter() - there]))
"""
"""Starts Ray for this machine alone, as whoever has no cluster would."""


def rows(small: bool = False) -> list[Row]:
    """Measure on a cluster of this machine."""
    size = SMALL if small else FULL
    found = start_rows()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with ray_nodes(folder / "nodes", {}) as nodes:
            os.environ.update(nodes.variables)
            with connected(nodes.address) as cluster:
                found += item_rows(folder)
                found += [brick_row(cluster, folder, size.bricks)]
                return [*found, workers_row(cluster, nodes, size.busy)]


def start_rows() -> list[Row]:
    """Start Ray on this machine alone, in processes of their own."""
    told = [json.loads(local_ray()) for _ in range(STARTS)]
    steps = ("start of a local Ray, its import included", "a local Ray's first task")
    return [
        Row(step, f"{STARTS} starts", " / ".join(map(duration, spent)), "", "", "", None)
        for step, spent in zip(steps, zip(*told, strict=True), strict=True)
    ]


def local_ray() -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    own |= {"RAY_USAGE_STATS_ENABLED": "0"}
    return subprocess.run(
        [sys.executable, "-c", LOCAL], cwd=ROOT, env=kept | own,
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.splitlines()[-1]  # fmt: skip


def item_rows(folder: Path) -> list[Row]:
    """Run three items one after the other; rows of what each costs besides its work."""
    checkout = make_checkout(folder / "project", shrunk_content())
    (checkout.root / "dvc.yaml").write_text(STAGE)
    for name in ("data", "made"):
        (checkout.root / name).mkdir(exist_ok=True)
    np.save(checkout.root / "data/crops.npy", np.zeros((1000, 101, 101), np.uint8))
    checkout.succeed("dvc", "add", "--quiet", "data/crops.npy")
    checkout.succeed("dvc", "remote", "add", "--quiet", "--default", "here", str(folder / "remote"))
    checkout.succeed("dvc", "push", "--quiet")
    items = [
        f"item@{number}" for number in yaml.safe_load(STAGE)["stages"]["item"]["matrix"]["number"]
    ]
    times = [item_times(checkout, item) for item in items]
    spent = [{step: one[end] - one[start] for step, (start, end) in STEPS.items()} for one in times]
    found = [item_row(step, [one[step] for one in spent]) for step in STEPS]
    return [*found, item_row("all of it", [sum(one.values()) for one in spent])]


def item_times(checkout: Checkout, item: str) -> dict[str, float]:
    """Run one item on a node as a training does; return the time of each step's end."""
    import ray

    shipment = ray.put(pack_code(checkout.root))
    lock = checkout.root / "dvc.lock"
    job = ItemJob(item, lock.read_bytes() if lock.exists() else None, {}, Versions.here(), None)
    times = {"submitted": time.time()}
    task = ray.remote(run_item).options(max_retries=0, num_cpus=1)
    answers: Any = task.remote(shipment, job)  # a stream, which Ray's types do not tell
    for answer in answers:
        message = unpacked(ray.get(answer))
        if message["kind"] == "failed":
            raise RuntimeError(message["reason"])
        times.setdefault(message["kind"], time.time())
    restore_outputs(checkout.root, item, message["made"])
    times["restored"] = time.time()
    made = checkout.root / "made" / item.rpartition("@")[2]
    times["command"], times["ended"] = map(float, made.read_text().split())
    return times


def item_row(step: str, spent: Sequence[float]) -> Row:
    each = " / ".join(duration(one) for one in spent)
    return Row(f"item: {step}", f"{len(spent)} items", each, "", "", "", None)


def brick_row(cluster: RayCluster, folder: Path, counts: tuple[int, int]) -> Row:
    """Predict lines of small bricks by a stub; say times, memories and straightness."""
    found = [bricks(cluster, folder / f"bricks{count}", count) for count in counts]
    bend = found[1].each / found[0].each
    return Row(
        "a brick, read, predicted by a stub, written",
        " / ".join(f"{count:,}" for count in counts),
        " / ".join(duration(one.each) for one in found),
        " / ".join(f"driver {megabytes(one.driver)} (+{megabytes(one.growth)})" for one in found),
        f"{bend:.2f}",
        f"bend under {STRAIGHT}",
        bend < STRAIGHT,
    )


@dataclass(frozen=True)
class Bricks:
    """Seconds a brick, and most MB of the driver, of which it grew by `growth`."""

    each: float
    driver: float
    growth: float


def bricks(cluster: RayCluster, folder: Path, count: int) -> Bricks:
    """Deal out a survey's bricks."""
    folder.mkdir()
    task = stub_task(folder, count)
    from benchmarks.parts.scale_work import StubNodeWorker

    arguments = (task, Versions.here(), SharedFolder.made(task.folder))
    dealer = Dealer(cluster, Share(cpus=1), StubNodeWorker, arguments)
    pieces = [("inline", at) for at in range(count)]
    deque_of(dealer.deal(pieces[:2]))  # starts the actors
    process, driver = psutil.Process(), []
    before = process.memory_info().rss
    started = time.perf_counter()
    for number, _ in enumerate(dealer.deal(pieces)):
        if number % (count // LOOKS) == 0:
            driver.append(process.memory_info().rss)
    spent, most = time.perf_counter() - started, max(driver)
    return Bricks(spent / count, most / 1e6, max(most - before, 0) / 1e6)


def stub_task(folder: Path, count: int) -> SurveyTask:
    """Write a survey of as many inlines, and return how it is predicted."""
    survey, options = folder / "survey.npy", SurveyOptions(axes="inline,crossline,sample")
    volume = np.lib.format.open_memmap(survey, "w+", np.float32, (count, SIDE, SIDE))
    for at in range(0, count, 1000):
        noise = np.random.default_rng(at).standard_normal((len(volume[at : at + 1000]), SIDE, SIDE))
        volume[at : at + 1000] = noise
    volume.flush()
    choices = SurveyChoices(along=Along.INLINE)
    work = folder / "work"
    work.mkdir()
    with open_survey(survey, options, folder) as opened:
        scale = measure_scale(opened, ScaleOf.SURVEY, choices.clip, None)
        return SurveyTask(survey, folder, folder, work, options, choices, scale, opened.zero)


def workers_row(cluster: RayCluster, nodes: RayNodes, pieces: int) -> Row:
    """Keep two workers busy, then one, after the other node's end."""
    from benchmarks.parts.scale_work import BusyWorker

    def spent() -> list[float]:
        dealer = Dealer(cluster, Share(cpus=1), BusyWorker, ())
        deque_of(dealer.deal(range(4)))  # starts the actors
        return [seconds(lambda: deque_of(dealer.deal(range(pieces)))) for _ in range(3)]

    two = spent()
    nodes.kill(1)
    while cluster.places(Share(cpus=1)) > 1:
        time.sleep(0.5)
    one = spent()
    return Row(
        "two workers beside one, on two cores",
        f"{pieces} pieces",
        f"{duration(median(two))} / {duration(median(one))}",
        "",
        f"{median(one) / median(two):.2f}",
        "",
        None,
    )


def deque_of(pieces: Iterator[Any]) -> None:
    """Have all of them done."""
    for _ in pieces:
        pass
