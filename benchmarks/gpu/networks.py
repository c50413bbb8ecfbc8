"""Networks of the recipes in training, on crops that lie on the device already."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric

from benchmarks.side_by_side import ROOT
from saltseg.config.model_definitions import CROP, ModelDefinition
from saltseg.config.params import Params
from saltseg.config.phases import Phase
from saltseg.config.sections import Runtime
from saltseg.learning.batches import Batch
from saltseg.learning.learner import Learner
from saltseg.learning.losses import create_loss
from saltseg.models import create_model
from saltseg.models.devices import create_fabric
from saltseg.plumbing.layout import Layout

RECIPES = ("gpu", "place1", "best", "place28")
SMALL_SIDE = 64
"""Input in px of networks that are only tried out."""
RATE = 1e-4


@dataclass(frozen=True)
class Member:
    """A network of a recipe, as the recipe trains it last."""

    recipe: str
    name: str
    definition: ModelDefinition
    params: Params
    batch_size: int

    @property
    def phase(self) -> Phase:
        """The last phase, whose loss is the metric's."""
        return self.params.train_per_fold.phases[-1]


def read_params(recipe: str) -> Params:
    """Return the parameters of a recipe of the project."""
    from saltseg.config.recipes import read_recipe  # imports DVC, which no job needs

    return read_recipe(Layout(ROOT), recipe)


def members(recipe: str, small: bool) -> Iterator[Member]:
    """Yield the networks of a recipe; small: on tiny inputs, two crops a batch."""
    params = read_params(recipe)
    for name in params.train_per_fold.members:
        definition = params.models[name]
        size = 2 if small else params.training.batch_size
        yield Member(recipe, name, shrunk(definition) if small else definition, params, size)


def shrunk(definition: ModelDefinition) -> ModelDefinition:
    """Return the network on inputs of SMALL_SIDE px, with all its layers."""
    changes = {"fit": "resize", "resized": 0, "size": SMALL_SIDE, "offset": "centre"}
    small = definition.input.model_copy(update=changes)
    return definition.model_copy(update={"input": small})


def runtime(params: Params, device: str) -> Runtime:
    """Return the recipe's runtime on a device; on a CPU with one thread, for a busy machine."""
    threads = 1 if device == "cpu" else params.runtime.threads
    return params.runtime.model_copy(update={"accelerator": device, "threads": threads})


def create_learner(member: Member, device: str) -> Learner:
    """Return the network in training, with random weights that are always the same."""
    fabric = create_fabric(runtime(member.params, device))
    network = create_model(member.definition, 0, None).to(memory_format=torch.channels_last)
    learner = Learner(network, member.params.training.optimizer, fabric)
    learner.seed(0)
    learner.model.train()
    return learner


def draw_batch(size: int, fabric: Fabric) -> Batch:
    """Return a batch of smooth crops, half of them with salt, on the device."""
    draws = torch.Generator().manual_seed(size)
    coarse = torch.rand(size, 1, 9, 9, generator=draws)
    smooth = torch.nn.functional.interpolate(coarse, (CROP, CROP), mode="bilinear")[:, 0]
    masks = (smooth > 0.5).float()
    masks[::2] = 0
    batch = (255 * smooth).to(torch.uint8), masks, torch.linspace(50, 950, size)
    on_device: Batch = fabric.to_device(batch)
    return on_device


def stepper(learner: Learner, member: Member) -> Callable[[], torch.Tensor]:
    """Return a training step on the same batch again and again."""
    batch = draw_batch(member.batch_size, learner.fabric)
    return partial(learner.step, batch, create_loss(member.phase.loss), RATE)


def wait_for(device: str) -> None:
    """Wait until the device has done all that it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


def forget(device: str) -> None:
    """Give back the memory of networks that are gone."""
    import gc

    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def weights_file() -> Path | None:
    """Return ImageNet weights of ResNet-34 in weights/, if they are there."""
    path = ROOT / "weights" / "resnet34.safetensors"
    return path if path.exists() else None
