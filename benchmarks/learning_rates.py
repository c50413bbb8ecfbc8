"""Learning-rate range test (Smith 2017): the loss while the rate rises from step to step.

    python -m benchmarks.learning_rates [--member NAME] [--phase 0] [--fold 0] [--steps 200]

In a project with crops and folds, a member of params.yaml begins anew with one of its phases, at a
rate that rises from --low to --high by the same factor in each step, until the loss has grown far
above its least. Prints the smoothed loss and three rates: where it falls fastest, a safe highest
rate of a schedule; where it is least, the edge; and where it has begun to grow. --out keeps every
step as a table.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from saltseg.config.params import Params, load_params
from saltseg.config.phase_checks import phase_input
from saltseg.config.phases import LossName
from saltseg.crops.crop_set import load_crops, load_table
from saltseg.learning.batches import AugmentedBatches, load_batches, phase_batches
from saltseg.learning.learner import Learner
from saltseg.learning.losses import create_loss
from saltseg.learning.training_sets import Sources, sets_without
from saltseg.models import create_model
from saltseg.models.devices import create_fabric
from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.files import write_table
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import load_pseudolabels

KEPT = 0.95
"""Share of the smoothed loss that is kept in each step."""
GROWN = 1.2
"""How far above its least the smoothed loss counts as growing."""
ENOUGH = 4.0
"""How far above its least the loss ends the test."""


@dataclass(frozen=True)
class Found:
    """The rates that a test tells."""

    steepest: float
    """Where the smoothed loss falls fastest per factor of the rate."""
    least: float
    """Where it is least."""
    growing: float | None
    """Where, after that, it is GROWN times as high; None if it never is."""


def geometric(low: float, high: float, steps: int) -> list[float]:
    """Return `steps` rates from low to high, each the same factor above the one before."""
    return [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]


def smoothed(losses: Sequence[float]) -> list[float]:
    """Return the exponential average up to each step, without the bias of its beginning."""
    average, values = 0.0, []
    for step, loss in enumerate(losses, start=1):
        average = KEPT * average + (1 - KEPT) * loss
        values.append(average / (1 - KEPT**step))
    return values


def found(rates: Sequence[float], losses: Sequence[float]) -> Found:
    """Say what a test tells. rates, losses: of each step, at least three."""
    curve = smoothed(losses)
    bottom = min(range(len(curve)), key=curve.__getitem__)
    falls = [curve[step] - curve[step - 1] for step in range(1, bottom + 1)] or [0.0]
    steepest = min(range(len(falls)), key=falls.__getitem__)
    grown = (step for step in range(bottom, len(curve)) if curve[step] > GROWN * curve[bottom])
    first = next(grown, None)
    return Found(rates[steepest], rates[bottom], None if first is None else rates[first])


def measured(
    learner: Learner,
    batches: AugmentedBatches,
    loss: Mapping[LossName, float],
    rates: Sequence[float],
) -> list[float]:
    """Train a step at each rate; return the losses, fewer than rates if they grow far or to NaN."""
    losses: list[float] = []
    function = create_loss(loss)
    loaded = load_batches(batches, range(-(-len(rates) // batches.count)), workers=0)
    learner.model.train()
    for rate, batch in zip(rates, loaded, strict=False):
        value = float(learner.step(batch, function, rate))
        if not math.isfinite(value) or value > ENOUGH * min([value, *losses]):
            break
        losses.append(value)
    return losses


def prepared(
    layout: Layout, params: Params, member: str, phase: int, fold: int
) -> tuple[Learner, AugmentedBatches]:
    """Return a new network of a member, and the batches of a phase without a fold."""
    settings = params.train_per_fold
    folds = load_table(layout.data("fold-split") / "folds.parquet")
    sources = Sources(params, layout, load_crops(layout.data("ingest")), folds)
    labels = load_pseudolabels(layout.data("pseudolabel", fold))
    sets = sets_without(fold, settings.phases, sources, labels)
    seed = stream_seed(params.base.seed, "learning-rates", member, fold)
    network = create_model(params.models[member], seed, layout.weights)
    network = network.to(memory_format=torch.channels_last)
    learner = Learner(network, params.training.optimizer, create_fabric(params.runtime))
    learner.seed(seed)
    learner.take_input(phase_input(params.models[member], settings.phases[phase]))
    return learner, phase_batches(settings.phases[phase], sets, params.training, seed)


def described(rates: Sequence[float], losses: Sequence[float]) -> str:
    """Return the smoothed loss at twenty of the rates, and what they tell."""
    curve = smoothed(losses)
    every = max(1, len(curve) // 20)
    lines = [f"{rates[step]:10.2e}  {curve[step]:.4f}" for step in range(0, len(curve), every)]
    told = found(rates, losses)
    growing = "nowhere" if told.growing is None else f"from {told.growing:.1e} on"
    lines.append(
        f"falls fastest at {told.steepest:.1e}, is least at {told.least:.1e}, grows {growing}"
    )
    return "\n".join(lines)


def main() -> None:
    """Run the test and print what it tells."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning_rates", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--member", help="a model definition; the first member by default")
    parser.add_argument("--phase", type=int, default=0, help="of train_per_fold, from 0")
    parser.add_argument("--fold", type=int, default=0, help="fold that is left out")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--low", type=float, default=1e-6, help="first rate")
    parser.add_argument("--high", type=float, default=1.0, help="last rate")
    parser.add_argument("--out", type=Path, help="parquet file for every step")
    options = parser.parse_args()
    layout = Layout(Path())
    params = load_params(layout.params)
    check(options, params, layout)
    member = options.member or params.train_per_fold.members[0]
    learner, batches = prepared(layout, params, member, options.phase, options.fold)
    rates = geometric(options.low, options.high, options.steps)
    losses = measured(learner, batches, params.train_per_fold.phases[options.phase].loss, rates)
    if len(losses) < 3:
        raise InputError(f"--low: {options.low:g} already makes the loss grow; lower it")
    print(described(rates, losses))
    if options.out:
        steps = {"learning_rate": rates[: len(losses)], "loss": losses}
        write_table(options.out, pd.DataFrame({**steps, "smoothed": smoothed(losses)}))


def check(options: argparse.Namespace, params: Params, layout: Layout) -> None:
    """Raise InputError for options that do not fit together or not the parameters."""
    phases, folds = params.train_per_fold.phases, params.fold_split.n_folds
    if options.member and options.member not in params.models:
        raise InputError(f"{layout.params}: models: no {options.member!r}; use {[*params.models]}")
    if options.phase not in range(len(phases)):
        raise InputError(f"--phase: {options.phase} is not one of 0 to {len(phases) - 1}")
    if options.fold not in range(folds):
        raise InputError(f"--fold: {options.fold} is not one of 0 to {folds - 1}")
    if not 0 < options.low < options.high or options.steps < 3:
        raise InputError("--low, --high, --steps: give rates 0 < low < high and 3 steps or more")


if __name__ == "__main__":
    with one_line_errors():
        main()
