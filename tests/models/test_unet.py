import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saltseg.models import create_model
from saltseg.models.encoders import Attended
from saltseg.plumbing.errors import InputError
from tests.helpers.model_definitions import EVERYTHING, OWN, define_unet


def create(**changes: object) -> nn.Module:
    body: nn.Module = create_model(define_unet(**changes), seed=1, weights=None).body
    return body.eval()


def encode(unet: nn.Module, size: int = 64) -> list[Tensor]:
    image = torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features: list[Tensor] = unet.get_submodule("encoder")(image)
    return features


def sizes(unet: nn.Module) -> list[int]:
    return [feature.shape[-1] for feature in encode(unet)]


def test_additions_leave_the_plain_network_s_weights_alone() -> None:
    plain = create(encoder="resnet18").state_dict()
    additions = {"empty_head": True, "deep_supervision": True, "hypercolumn": "summed"}
    for option, value in additions.items():
        state = create(encoder="resnet18", **{option: value}).state_dict()
        shared = [name for name in plain if not name.startswith("segmentation_head")]
        assert all(torch.equal(plain[name], state[name]) for name in shared)


@pytest.mark.parametrize(
    ("encoder", "stem", "expected"),
    [
        ("resnet18", {}, [64, 32, 16, 8, 4, 2]),
        ("resnet18", {"pooling": "none"}, [64, 32, 32, 16, 8, 4]),
        ("resnet18", {"pooling": "stride_one"}, [64, 32, 32, 16, 8, 4]),
        ("resnet18", {"stride": "one"}, [64, 64, 32, 16, 8, 4]),
        ("resnet18", {"convolution": "3x3"}, [64, 32, 16, 8, 4, 2]),
        (
            "resnet18",
            {"convolution": "3x3", "stride": "one", "pooling": "none"},
            [64, 64, 64, 32, 16, 8],
        ),
        ("se_resnet50", {"pooling": "stride_one"}, [64, 32, 32, 16, 8, 4]),
        ("tu-resnet18", {"pooling": "none"}, [64, 32, 32, 16, 8, 4]),
        ("tu-tf_efficientnet_lite0", {"stride": "one"}, [64, 64, 32, 16, 8, 4]),
    ],
)
def test_a_changed_stem_keeps_more_detail(
    encoder: str, stem: dict[str, str], expected: list[int]
) -> None:
    assert sizes(create(encoder=encoder, stem=OWN | stem)) == expected


@pytest.mark.parametrize(
    ("encoder", "stages"),
    [
        ("resnet18", ["layer1", "layer2", "layer3", "layer4"]),
        ("tu-tf_efficientnet_lite0", [f"model.blocks.{i}" for i in (1, 2, 4, 6)]),
        ("mobilenet_v2", [f"features.{i}" for i in (3, 6, 13, 18)]),
        ("efficientnet-b0", [f"_blocks.{i}" for i in (2, 4, 8, 15)]),
    ],
)
def test_attention_comes_after_each_stage(encoder: str, stages: list[str]) -> None:
    modules = create(encoder=encoder, encoder_scse=True).get_submodule("encoder").named_modules()
    assert [path for path, module in modules if isinstance(module, Attended)] == stages


def test_attention_of_a_stage_is_seen_by_the_later_ones() -> None:
    plain = encode(create(encoder="resnet18"))
    attended = create(encoder="resnet18", encoder_scse=True)
    scse = [m.scse for m in attended.modules() if isinstance(m, Attended)]
    for parameter in (p for module in scse for p in module.parameters()):
        nn.init.zeros_(parameter)
    # At zero both weights are a half: channels and places add up to what was there.
    for feature, expected in zip(encode(attended), plain, strict=True):
        assert torch.allclose(feature, expected, atol=1e-5)
    nn.init.ones_(scse[1].sSE[0].bias)
    changed = [
        not torch.allclose(f, e, atol=1e-3) for f, e in zip(encode(attended), plain, strict=True)
    ]
    assert changed == [False, False, False, True, True, True]


def test_a_copy_of_a_network_is_its_own() -> None:
    network = create(**EVERYTHING)
    image = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        before = network(image).logits
        for parameter in copy.deepcopy(network).parameters():
            parameter.zero_()
        assert torch.equal(network(image).logits, before)


@pytest.mark.parametrize("size", [64, 90])
@pytest.mark.parametrize("stem", ["own", "one"])
@pytest.mark.parametrize("decoder", ["transposed", "fused"])
def test_other_decoders_give_logits_of_any_input_s_size(decoder: str, stem: str, size: int) -> None:
    network = create(
        encoder="resnet18", decoder=decoder, stem=OWN | {"stride": stem}, empty_head=True,
        decoder_channels=[24, 16, 16, 16], deep_supervision=True,
    ).train()  # fmt: skip
    logits, empty, side = network(torch.rand(2, 1, size, size))
    assert logits.shape == (2, 1, size, size) and empty.shape == (2,)
    assert side.shape == (2, 3, size, size)


def test_whole_channels_are_dropped_before_the_head_in_training_alone() -> None:
    images, network = torch.rand(2, 1, 64, 64), create(dropout=0.5, hypercolumn="summed")
    assert torch.equal(network(images).logits, create(hypercolumn="summed")(images).logits)
    seen: list[Tensor] = []
    network.get_submodule("segmentation_head").register_forward_pre_hook(
        lambda _, inputs: seen.extend(inputs[0])
    )
    network.train()(images)
    for level in seen:
        dropped = (level == 0).all(dim=(2, 3))
        assert dropped.any() and not dropped.all()


def test_heads_speak_in_training_and_where_they_are_needed() -> None:
    network = create(empty_head=True, deep_supervision=True)
    images = torch.rand(3, 1, 64, 64)
    logits, empty, side = network.train()(images)
    assert logits.shape == (3, 1, 64, 64) and empty.shape == (3,) and side.shape == (3, 4, 64, 64)
    logits, empty, side = network.eval()(images)
    assert empty.shape == (3,) and side is None
    _, empty, side = create().train()(images)
    assert empty is None and side is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoder": "resnet"}, "encoder 'resnet' is unknown"),
        ({"encoder": "tu-resnet"}, "encoder 'tu-resnet' is unknown"),
        ({"encoder": "mit_b0", "encoder_scse": True}, "encoder_scse: not possible in mit_b0"),
        ({"stem": OWN | {"pooling": "none"}}, "tu-tf_efficientnet_lite0 has no first pooling"),
        ({"stem": OWN | {"convolution": "3x3"}}, "tu-tf_efficientnet_lite0 begins with 3x3"),
        (
            {"encoder": "mit_b0", "stem": OWN | {"stride": "one"}},
            "mit_b0 has no first convolution of stride two",
        ),
        (
            {"encoder": "efficientnet-b0", "stem": OWN | {"stride": "one"}},
            "stem: efficientnet-b0 does not allow this",
        ),
    ],
)
def test_what_an_encoder_cannot_do_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        create(**changes)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_attention_fits_narrow_stages() -> None:
    network = create(encoder="tu-mobilenetv3_small_050", encoder_scse=True).train()
    assert network(torch.rand(2, 1, 64, 64)).logits.shape == (2, 1, 64, 64)


@pytest.mark.parametrize("encoder", [f"tu-tf_efficientnet_lite{number}" for number in range(3)])
def test_nothing_of_a_shallow_network_goes_unread(encoder: str) -> None:
    network = create(encoder=encoder, decoder_channels=[24, 16, 16, 16], empty_head=True).train()
    outputs = network(torch.rand(2, 1, 64, 64))
    sum(output.sum() for output in outputs if output is not None).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    assert len(list(network.get_submodule("encoder.model.blocks").children())) == 5
