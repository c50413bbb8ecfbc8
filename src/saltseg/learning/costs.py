"""What a recipe costs: parameters, floating-point operations, training crops."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import TYPE_CHECKING

import torch

from saltseg.config.model_definitions import CROP, ModelDefinition
from saltseg.config.params import Params
from saltseg.config.phase_checks import phase_input
from saltseg.config.phases import Phase
from saltseg.config.schema import ALL
from saltseg.learning.schedules import batch_count, dealt_count, drawn_count
from saltseg.models import create_model
from saltseg.plumbing.tables import table

if TYPE_CHECKING:
    from torch.utils.flop_counter import FlopCounterMode

PhaseName = tuple[str, int]
"""A phase: its section, `pseudolabel` or `train_per_fold`, and its number there."""

_SECTIONS = {"teacher": "pseudolabel", "member": "train_per_fold"}

STEP = 3
"""A training step in forward passes: the backward pass counts as two, for weights and features."""


@dataclass(frozen=True)
class Cost:
    """What the training of one network costs."""

    role: str
    """`teacher` or `member`; with `, all folds` behind it where no fold is held out."""
    model: str
    """Name of the model definition."""
    parameters: int
    """Number of trainable parameters."""
    operations: int
    """Floating-point operations to predict one crop; a multiply-add counts as two."""
    crops: int
    """Upper bound on the crops seen in training without one fold, counting repetitions."""
    folds: int
    """Number of folds trained so."""
    forward: int
    """Operations of one forward pass for each crop seen in training without one fold."""

    @property
    def training(self) -> int:
        """Floating-point operations of the training over all folds."""
        return STEP * self.forward * self.folds


def recipe_costs(params: Params, train_crops: int, pseudolabels: int) -> list[Cost]:
    """Return the costs of the teachers (all rounds together), if any, and of each member.

    train_crops: number of training crops in all folds; pseudolabels: number of test crops that a
    teacher labels for one fold. A plateau counts as its maximum number of epochs.
    """
    found = []
    for role, model, phases, labels in _trainings(params, pseudolabels):
        parameters, own = network_size(definition := params.models[model])
        operations = _operations(definition, own, phases)
        for kind, share, folds in _held_out(params):
            crops = _crops(params, phases, train_crops * share, labels)
            forward = sum(map(mul, operations, crops))
            found.append(Cost(role + kind, model, parameters, own, sum(crops), folds, forward))
    return found


def epoch_costs(params: Params, train_crops: int, pseudolabels: int) -> dict[PhaseName, int]:
    """Return, for every trained phase, the operations of one more epoch in each of its cycles.

    Over all rounds of teachers or all members, and all folds. See recipe_costs for the arguments.
    """
    found: dict[PhaseName, int] = {}
    for role, model, phases, labels in _trainings(params, pseudolabels):
        definition = params.models[model]
        operations = _operations(definition, network_size(definition)[1], phases)
        for index, phase in enumerate(phases):
            name = (_SECTIONS[role], index)
            crops = sum(
                folds * _epoch_crops(phase, seen, params.training.batch_size)
                for _, share, folds in _held_out(params)
                for count in labels
                for seen in [_seen(params, phases, train_crops * share, count)]
            )
            step = STEP * operations[index]
            found[name] = found.get(name, 0) + step * phase.schedule.cycles * crops
    return found


def network_size(definition: ModelDefinition) -> tuple[int, int]:
    """Return a network's number of parameters and the operations to predict one crop.

    torch's FlopCounterMode counts convolutions and matrix products; the rest is negligible.
    Nothing is computed: the network lives on torch's meta device.
    """
    with torch.device("meta"):
        network = create_model(definition, seed=0, weights=None).eval()
        images, depth = torch.zeros(1, CROP, CROP), torch.zeros(1)
    with torch.no_grad(), _flop_counter() as counter:
        network(images, depth)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return parameters, counter.get_total_flops()


def _flop_counter() -> "FlopCounterMode":
    # Without Triton, which is not installed where there is no GPU, its import warns.
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)
    from torch.utils.flop_counter import FlopCounterMode

    return FlopCounterMode(display=False)


def _trainings(
    params: Params, pseudolabels: int
) -> Iterator[tuple[str, str, Sequence[Phase], list[int]]]:
    """Yield role, model, phases, and the number of pseudo-labels in each of the trainings."""
    settings = params.pseudolabel
    if settings.enabled:
        labels = [0] + (settings.rounds - 1) * [pseudolabels]
        yield "teacher", settings.teacher, settings.phases, labels
    for member in params.train_per_fold.members:
        labels = [pseudolabels if settings.enabled else 0]
        yield "member", member, params.train_per_fold.phases, labels


def _held_out(params: Params) -> Iterator[tuple[str, float, int]]:
    """Yield ways to train: what they add to the role, share of the crops, number of folds."""
    settings, folds = params.train_per_fold, params.fold_split.n_folds
    yield "", (folds - 1) / folds, len(settings.held_out)
    if ALL in settings.folds:
        yield ", all folds", 1.0, 1


def _operations(definition: ModelDefinition, own: int, phases: Sequence[Phase]) -> list[int]:
    """Return the operations to predict one crop at the input size of each phase.

    own: at the definition's own size.
    """
    found = []
    for phase in phases:
        resized = definition.model_copy(update={"input": phase_input(definition, phase)})
        found.append(own if phase.input is None else network_size(resized)[1])
    return found


def _crops(
    params: Params, phases: Sequence[Phase], train_crops: float, labels: Sequence[int]
) -> list[int]:
    """Return how many crops the trainings on some train crops see in each phase.

    labels: number of pseudo-labels in each training.
    """
    seen = [_seen(params, phases, train_crops, count) for count in labels]
    size = params.training.batch_size
    return [
        phase.planned_epochs * sum(_epoch_crops(phase, each, size) for each in seen)
        for phase in phases
    ]


def _seen(
    params: Params, phases: Sequence[Phase], train_crops: float, pseudolabels: int
) -> dict[str, int]:
    """Return how many crops of each kind a training on some train crops learns from."""
    inner_folds, share = params.training.inner_folds, 1.0
    if any(phase.uses_inner_validation for phase in phases):
        share = (inner_folds - 1) / inner_folds
    return {
        "train": round(train_crops * share),
        "pseudolabels": pseudolabels,
        "survey": params.survey.pretraining,
    }


def _epoch_crops(phase: Phase, seen: Mapping[str, int], batch_size: int) -> int:
    dealt = dealt_count(phase, seen)
    drawn = drawn_count(phase, seen, batch_size)
    return dealt + drawn * batch_count(dealt, batch_size - drawn)


def describe_costs(costs: Sequence[Cost]) -> str:
    """Return a table with a line for each network and a total."""
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
    """Return a number of operations in units of 10^15, with three significant digits."""
    value = operations / 1e15
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"
