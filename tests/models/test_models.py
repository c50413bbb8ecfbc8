"""What holds for every network, whatever its definition."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from saltseg.config.model_definitions import ModelDefinition
from saltseg.learning.losses import create_loss
from saltseg.models import SaltNetwork, create_model
from saltseg.plumbing.errors import InputError
from tests.helpers.model_definitions import ALL, define_class_unet, define_input

DEPTH = torch.tensor([100.0, 900.0])


@pytest.fixture(params=ALL)
def definition(request: pytest.FixtureRequest) -> ModelDefinition:
    return ALL[request.param]


def crops() -> Tensor:
    return torch.rand(2, 101, 101, generator=torch.Generator().manual_seed(0))


def predict(network: SaltNetwork) -> Tensor:
    with torch.inference_mode():
        logits = network.eval()(crops(), DEPTH)
    assert isinstance(logits, Tensor)
    return logits


def test_a_crop_s_logits_have_its_size_and_no_other_crop_s_part_in_them(
    definition: ModelDefinition,
) -> None:
    network = create_model(definition, seed=0, weights=None)
    logits = predict(network)
    assert logits.shape == (2, 101, 101) and logits.dtype == torch.float32
    with torch.inference_mode():
        alone = network(crops()[1:], DEPTH[1:])
    assert torch.allclose(alone[0], logits[1], atol=1e-4)


def test_the_weights_depend_on_the_seed_alone(definition: ModelDefinition) -> None:
    torch.manual_seed(1)
    one = create_model(definition, seed=5, weights=None).state_dict()
    torch.manual_seed(2)
    two = create_model(definition, seed=5, weights=None).state_dict()
    other = create_model(definition, seed=6, weights=None).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_every_weight_learns_and_a_seed_repeats_the_step(definition: ModelDefinition) -> None:
    masks = (crops() > 0.5).float()
    loss = create_loss({"bce": 1.0, "empty_mask": 0.1, "deep_supervision": 0.1})
    gradients = []
    for _ in range(2):
        network = create_model(definition, seed=3, weights=None).train()
        torch.manual_seed(4)
        loss(network(crops(), DEPTH), masks).backward()
        gradients.append({name: p.grad for name, p in network.named_parameters()})
    for name, gradient in gradients[0].items():
        assert gradient is not None, name
        assert gradient.isfinite().all(), name
        again = gradients[1][name]
        assert again is not None and torch.equal(gradient, again)


def test_saved_weights_give_the_same_network(definition: ModelDefinition, tmp_path: Path) -> None:
    network = create_model(definition, seed=7, weights=None)
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()},
        tmp_path / "weights.safetensors",
    )
    again = create_model(definition, seed=8, weights=None)
    again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(predict(again), predict(network))


@pytest.mark.parametrize("name", ["everything", "place15", "capstone_resunet"])
def test_a_network_can_be_exported(name: str) -> None:
    network = create_model(ALL[name], seed=0, weights=None).eval()
    exported = torch.export.export(network, (crops(), DEPTH)).module()
    assert torch.allclose(exported(crops(), DEPTH), predict(network), atol=1e-5)


def test_a_size_that_a_network_cannot_take_is_named_before_it_learns() -> None:
    definition = define_class_unet(input=define_input(fit="resize", size=15))
    with pytest.raises(InputError) as caught:
        create_model(definition, seed=0, weights=None)
    said = str(caught.value)
    assert "class_unet does not accept inputs of 15 px" in said and "\n" not in said
