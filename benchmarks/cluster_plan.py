"""A plan on paper for a Ray cluster: hours and bytes of recipe `best`, and of a survey of 1 TB.

    python -m benchmarks.cluster_plan [--gpus 8,64] [--rate 50] [--overhead 30] [--sides I,C,S]

Prints two tables for docs/scaling.md. Operations are those of learning/costs.py; the rate of a GPU
and the seconds an item costs besides its training are given. Nothing is computed with networks.
"""

import argparse
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod

from benchmarks.side_by_side import ROOT
from saltseg.config.crop_counts import PSEUDOLABELS, TRAIN
from saltseg.config.model_definitions import CROP
from saltseg.config.params import Params
from saltseg.config.recipes import read_recipe
from saltseg.inference.section_tiles import OVERLAP
from saltseg.learning.costs import network_size, recipe_costs
from saltseg.plumbing.layout import Layout
from saltseg.seismic.choices import SurveyChoices
from saltseg.seismic.section_files import BYTES
from saltseg.seismic.store import SHARD

RECIPE, TEST = "best", 18_000
"""The recipe, and the competition's test crops."""
FLOAT, TRACE_HEADER, STORED = 4, 240, 6
"""Bytes: of a float32, of a SEG-Y trace's header, and of a sample in the store, uncompressed."""
SNAPSHOTS = 4


@dataclass(frozen=True)
class Item:
    """An item of the matrix: what it computes, in operations, and the bytes of its outputs."""

    name: str
    operations: float
    written: int


@dataclass(frozen=True)
class Given:
    """What the plan assumes."""

    rate: float
    """Operations a second of a GPU, as training reaches them."""
    overhead: float
    """Seconds of an item besides its training."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", default="1,8,64")
    parser.add_argument("--rate", type=float, default=50, help="TFLOP/s of a GPU")
    parser.add_argument("--overhead", type=float, default=30, help="seconds an item")
    parser.add_argument("--sides", default="5000,10000,5000", help="inlines, crosslines, samples")
    options = parser.parse_args()
    gpus = [int(each) for each in options.gpus.split(",")]
    sides = [int(each) for each in options.sides.split(",")]
    params = read_recipe(Layout(ROOT), RECIPE)
    given = Given(options.rate * 1e12, options.overhead)
    print(training_table(params, gpus, given))
    print()
    print(survey_table(params, gpus, given, sides))


def training_table(params: Params, gpus: Sequence[int], given: Given) -> str:
    """Return hours of the items on each number of GPUs, and the bytes that are moved."""
    teachers, members = items(params)
    inputs = (TRAIN * 2 + TEST + PSEUDOLABELS) * CROP**2
    written = sum(item.written for fold in (*teachers, *members) for item in fold)
    rows = ["| GPUs | hours | of which GPUs work | read by nodes | written by nodes, read here |"]
    rows += ["|---|---|---|---|---|"]
    for count in gpus:
        hours = schedule(teachers, members, count, given) / 3600
        work = sum(item.operations for fold in (*teachers, *members) for item in fold)
        share = work / given.rate / 3600 / (hours * count)
        rows += [
            f"| {count} | {hours:.1f} | {share:.0%} | {size(inputs * min(count, 25))} |"
            f" {size(written)} |"
        ]
    return "\n".join(rows)


def items(params: Params) -> tuple[list[list[Item]], list[list[Item]]]:
    """Return for each fold its teacher's item and its members', which wait for the teacher."""
    folds = len(params.train_per_fold.folds)
    teachers: list[list[Item]] = [[] for _ in range(folds)]
    members: list[list[Item]] = [[] for _ in range(folds)]
    for cost in recipe_costs(params, TRAIN, PSEUDOLABELS):
        of_teacher = cost.role == "teacher"
        written = PSEUDOLABELS * CROP**2 if of_teacher else cost.parameters * FLOAT * SNAPSHOTS
        item = Item(f"{cost.role} {cost.model}", cost.training / folds, written)
        for fold in teachers if of_teacher else members:
            fold.append(item)
    return teachers, members


def schedule(
    teachers: Sequence[Sequence[Item]],
    members: Sequence[Sequence[Item]],
    gpus: int,
    given: Given,
) -> float:
    """Return when the last item ends, in seconds, where each starts as soon as a GPU is free.

    As the cluster deals them: teachers first, then members in the pipeline's order.
    """
    free = [0.0] * gpus
    labelled = [_next(free, 0.0, sum(item.operations for item in fold), given) for fold in teachers]
    ends = list(labelled)
    number = len(members[0])
    for at in range(number):
        for fold, ready in zip(members, labelled, strict=True):
            ends.append(_next(free, ready, fold[at].operations, given))
    return max(ends)


def _next(free: list[float], ready: float, operations: float, given: Given) -> float:
    start = max(heapq.heappop(free), ready)
    end = start + given.overhead + operations / given.rate
    heapq.heappush(free, end)
    return end


def survey_table(params: Params, gpus: Sequence[int], given: Given, sides: Sequence[int]) -> str:
    """Return hours and bytes of the prediction of a survey along both axes."""
    samples = prod(sides)
    traces = sides[0] * sides[1]
    file = samples * FLOAT + traces * TRACE_HEADER
    operations = 2 * samples * pixel_operations(params) * len(params.train_per_fold.folds)
    shards = prod(ceil(side / SHARD) for side in sides)
    rows = [
        f"A SEG-Y file of {size(file)}: {sides[0]:,} inlines, {sides[1]:,} crosslines,"
        f" {sides[2]:,} samples; {sides[0] + sides[1]:,} sections, {shards:,} shards.",
        "",
        "| networks | PFLOP | " + " | ".join(f"hours on {count} GPUs" for count in gpus) + " |",
        "|---|---|" + "---|" * len(gpus),
    ]
    networks: Mapping[str, int] = {"all snapshots": SNAPSHOTS, "`--members fast`": 1}
    for name, number in networks.items():
        hours = [operations * number / given.rate / 3600 / count for count in gpus]
        told = " | ".join(f"{each:,.0f}" for each in hours)
        rows += [f"| {name} | {operations * number / 1e15:,.0f} | {told} |"]
    rows += [
        "",
        "| step | read | written |",
        "|---|---|---|",
        f"| sections along both axes | {size(2 * file)} | {size(2 * samples * BYTES)} |",
        f"| shards | {size(2 * samples * BYTES)} | {size(samples * STORED)} before compression |",
    ]
    return "\n".join(rows)


def pixel_operations(params: Params) -> float:
    """Return the operations of all members, one network each, for a pixel of a survey's section.

    A network computes as much for a pixel of a tile as for one of its own input; tiles overlap.
    """
    side = SurveyChoices().tile
    again = (side / (side - OVERLAP)) ** 2
    total = 0.0
    for name in params.train_per_fold.members:
        definition = params.models[name]
        enlarged = (definition.input.resized or CROP) / CROP
        total += network_size(definition)[1] / definition.input.size**2 * enlarged**2
    return total * again


def size(count: float) -> str:
    """Return a number of bytes in decimal units."""
    for unit, power in (("TB", 12), ("GB", 9), ("MB", 6)):
        if count >= 10**power:
            return f"{count / 10**power:.3g} {unit}"
    return f"{count:.0f} B"


if __name__ == "__main__":
    main()
