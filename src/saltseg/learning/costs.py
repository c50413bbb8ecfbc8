"""What a recipe costs: parameters, floating-point operations, crops that are learned from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from saltseg.config.model_definitions import CROP, ModelDefinition
from saltseg.config.params import Params
from saltseg.config.phases import Phase
from saltseg.learning.schedules import batch_count, dealt_count, drawn_count
from saltseg.models import create_model
from saltseg.plumbing.tables import table

STEP = 3
"""A training step in forward passes: the gradients by weights and by features cost one each."""


@dataclass(frozen=True)
class Cost:
    """What the training of one network costs."""

    role: str
    """`teacher` or `member`."""
    model: str
    """Name of the model definition."""
    parameters: int
    """Numbers that are learned."""
    operations: int
    """Floating-point operations of the prediction of one crop; a multiply-add is two."""
    crops: int
    """Crops seen by the training without one fold, each as often as it comes; at most."""
    folds: int
    """Folds that are trained."""

    @property
    def all_crops(self) -> int:
        """Crops seen over all folds."""
        return self.crops * self.folds

    @property
    def training(self) -> int:
        """Floating-point operations of the training over all folds."""
        return STEP * self.operations * self.all_crops


def recipe_costs(params: Params, train_crops: int, pseudolabels: int) -> list[Cost]:
    """Return the costs of the teachers of all rounds, where there are any, and of each member.

    train_crops: number of training crops, of all folds; pseudolabels: of test crops that a teacher
    labels for one fold. A plateau counts with all the epochs that it may take.
    """
    return [
        Cost(
            role,
            model,
            *network_size(params.models[model]),
            crops=sum(_crops(params, phases, train_crops, labels) for labels in known),
            folds=len(params.train_per_fold.folds),
        )
        for role, model, phases, known in _trainings(params, pseudolabels)
    ]


def network_size(definition: ModelDefinition) -> tuple[int, int]:
    """Return a network's number of parameters and the operations of the prediction of one crop.

    Counted are convolutions and matrix products, by torch's FlopCounterMode; the rest is small.
    Nothing is computed: the network has shapes and no numbers.
    """
    with torch.device("meta"):
        network = create_model(definition, seed=0, weights=None).eval()
        images, depth = torch.zeros(1, CROP, CROP), torch.zeros(1)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(images, depth)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return parameters, counter.get_total_flops()


def _trainings(
    params: Params, pseudolabels: int
) -> Iterator[tuple[str, str, Sequence[Phase], list[int]]]:
    """Yield role, model, phases, and how many pseudo-labels each training of them knows."""
    taught = params.pseudolabel
    if taught.enabled:
        known = [0] + (taught.rounds - 1) * [pseudolabels]
        yield "teacher", taught.teacher, taught.phases, known
    for member in params.train_per_fold.members:
        known = [pseudolabels if taught.enabled else 0]
        yield "member", member, params.train_per_fold.phases, known


def _crops(params: Params, phases: Sequence[Phase], train_crops: int, pseudolabels: int) -> int:
    """Return how many crops the training without one fold sees."""
    n_folds, inner_folds = params.fold_split.n_folds, params.training.inner_folds
    share = (n_folds - 1) / n_folds
    if any(phase.watches for phase in phases):
        share *= (inner_folds - 1) / inner_folds
    seen = {
        "train": round(train_crops * share),
        "pseudolabels": pseudolabels,
        "survey": params.survey.pretraining,
    }
    size = params.training.batch_size
    return sum(phase.planned_epochs * _epoch_crops(phase, seen, size) for phase in phases)


def _epoch_crops(phase: Phase, seen: Mapping[str, int], batch_size: int) -> int:
    dealt = dealt_count(phase, seen)
    drawn = drawn_count(phase, seen, batch_size)
    return dealt + drawn * batch_count(dealt, batch_size - drawn)


def describe_costs(costs: Sequence[Cost]) -> str:
    """Return a table with a line for each network and one for all of them together."""
    heads = ("", "network", "parameters", "GFLOP a crop", "crops a fold", "folds", "training PFLOP")
    rows = [
        (
            cost.role,
            cost.model,
            f"{cost.parameters:,}",
            f"{cost.operations / 1e9:.2f}",
            f"{cost.crops:,}",
            str(cost.folds),
            petaflop(cost.training),
        )
        for cost in costs
    ]
    total = ("in all", "", "", "", "", "", petaflop(sum(cost.training for cost in costs)))
    return table(heads, [*rows, total], numbers=5)


def petaflop(operations: float) -> str:
    """Return a number of operations in 10^15, with three digits that count."""
    value = operations / 1e15
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"
