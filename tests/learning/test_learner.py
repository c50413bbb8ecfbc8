from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.params import Params
from saltseg.config.phases import Averaging, Ema
from saltseg.inference.predictor import predict_all
from saltseg.learning.learner import Learner
from saltseg.learning.losses import create_loss
from saltseg.models import create_model
from saltseg.models.devices import create_fabric
from tests.helpers.model_definitions import define_class_unet, define_input, define_unet

LOSS = {"lovasz_elu_nonempty": 1.0, "bce": 0.5, "empty_mask": 0.5, "deep_supervision": 0.2}


@pytest.fixture
def create_learner(shrunk_params: Params) -> Callable[[ModelDefinition, str], Learner]:
    def create(definition: ModelDefinition, precision: str) -> Learner:
        runtime = shrunk_params.runtime.model_copy(
            update={"precision": precision, "accelerator": "cpu", "threads": 1}
        )
        optimizer = shrunk_params.training.optimizer
        network = create_model(definition, seed=0, weights=None)
        return Learner(network, optimizer, create_fabric(runtime))

    return create


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Bright crops hold salt where they are brightest, dark crops hold none."""
    bright = torch.linspace(100, 255, 101).expand(2, 101, 101)
    images = torch.cat([bright, torch.full((2, 101, 101), 30.0)]).to(torch.uint8)
    return images, (images > 180).float(), torch.tensor([100.0, 200.0, 300.0, 400.0])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_heads_learn_with_the_pixels_and_join_in_the_prediction(
    create_learner: Callable[[ModelDefinition, str], Learner], precision: str
) -> None:
    definition = define_unet(encoder="resnet18", empty_head=True, deep_supervision=True)
    learner = create_learner(definition, precision)
    learner.model.train()
    loss = create_loss(LOSS)  # type: ignore[arg-type]
    losses = [float(learner.step(batch(), loss, 0.003)) for _ in range(12)]
    assert losses[-1] < losses[0] / 2
    images, masks, depth = (tensor.numpy() for tensor in batch())
    probabilities = predict_all(learner.model, images, depth, learner.fabric, flip=True)
    assert probabilities.shape == masks.shape and probabilities.dtype == np.float32
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_random_offsets_go_on_where_a_state_was_taken(
    create_learner: Callable[[ModelDefinition, str], Learner],
) -> None:
    # Pooling makes the result depend on where in the padding a crop lies.
    padded = define_input(fit="reflect", size=128, offset="random")
    definition = define_class_unet(dropout=0.0, input=padded)
    loss = create_loss({"bce": 1.0})
    learner = create_learner(definition, "float32")
    learner.seed(5)
    learner.model.train()
    learner.step(batch(), loss, 0.01)
    state = {
        name: value.clone() if isinstance(value, Tensor) else value
        for name, value in learner.state().items()
    }
    state["weights"] = learner.copy_weights()
    expected = [float(learner.step(batch(), loss, 0.0)) for _ in range(3)]
    again = create_learner(definition, "float32")
    again.model.train()
    again.seed(6)
    again.restore(state)
    assert [float(again.step(batch(), loss, 0.0)) for _ in range(3)] == expected
    assert len(set(expected)) == 3


def test_copied_weights_are_neither_changed_by_steps_nor_by_going_back(
    create_learner: Callable[[ModelDefinition, str], Learner],
) -> None:
    loss = create_loss({"bce": 1.0})
    learner = create_learner(define_class_unet(blocks="residual"), "float32")
    rules: tuple[Averaging, ...] = ("none", Ema(), "swa")
    for averaging in rules:
        learner.start_average(averaging)
        learner.step(batch(), loss, 0.01)
        learner.end_epoch(averaged=True, batches=[batch()])
        copied = learner.copy_weights()
        before = {name: tensor.clone() for name, tensor in copied.items()}
        learner.go_back(copied)
        learner.model.train()
        for _ in range(2):
            learner.step(batch(), loss, 0.01)
            learner.end_epoch(averaged=True, batches=[batch()])
        assert all(torch.equal(copied[name], before[name]) for name in before)
        after = learner.model.state_dict()
        assert not all(torch.equal(after[name], before[name]) for name in before)
