from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from saltseg.models import create_model
from saltseg.models.weights import PACKAGED, adapt_first_convolution, standardisation
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from tests.helpers.model_definitions import OWN, define_input, define_unet


def encoder_of(folder: Path, **changes: object) -> nn.Module:
    network = create_model(define_unet(**changes), seed=0, weights=folder)
    return network.body.get_submodule("encoder")


@pytest.mark.parametrize("encoder", PACKAGED)
def test_a_package_holds_timm_s_tensors_in_timm_s_order(encoder: str) -> None:
    path = PACKAGED[encoder].get_model_file_path()
    packaged = torch.load(path, map_location="cpu", weights_only=True)
    with torch.device("meta"):
        own = timm.create_model(encoder.removeprefix("tu-"), pretrained=False).state_dict()
    assert len(packaged) == len(own)
    for theirs, ours in zip(packaged, own, strict=True):
        assert packaged[theirs].shape == own[ours].shape, (theirs, ours)
        # Scale, shift, mean and variance have one shape: their kinds must match too.
        assert theirs.rpartition(".")[2] == ours.rpartition(".")[2]


@pytest.mark.parametrize("encoder", PACKAGED)
def test_packaged_weights_give_the_features_of_the_original(encoder: str, tmp_path: Path) -> None:
    """A grey crop through our encoder is what the classifier's encoder makes of its RGB copy."""
    ours = encoder_of(tmp_path, encoder=encoder, weights="packaged").eval()
    theirs: Any = timm.create_model(encoder.removeprefix("tu-"), pretrained=False)
    path = PACKAGED[encoder].get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), state.values(), strict=True)))
    grey = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        deepest = ours(grey)[-1]
        _, expected = theirs.eval().forward_intermediates(grey.expand(-1, 3, -1, -1))
    assert torch.allclose(deepest, expected[-1], rtol=1e-3, atol=1e-3)


def resnet18_file(path: Path) -> dict[str, Tensor]:
    """Write random weights of a ResNet-18 as half floats, as published files often are."""
    state = smp.encoders.get_encoder("resnet18", weights=None).state_dict()
    half = {n: t.half() if t.is_floating_point() else t.clone() for n, t in state.items()}
    save_file(half, path)
    return half


def test_a_file_of_weights_is_loaded(tmp_path: Path) -> None:
    state = resnet18_file(tmp_path / "mine.safetensors")
    loaded = encoder_of(tmp_path, encoder="resnet18", weights="mine.safetensors").state_dict()
    for name, tensor in state.items():
        expected = tensor.float()
        if name == "conv1.weight":
            expected = expected.sum(dim=1, keepdim=True)
        assert torch.allclose(loaded[name].float(), expected)


def test_a_changed_encoder_keeps_its_pretrained_weights(tmp_path: Path) -> None:
    state = resnet18_file(tmp_path / "mine.safetensors")
    encoder = encoder_of(
        tmp_path,
        encoder="resnet18",
        weights="mine.safetensors",
        stem=OWN | {"convolution": "3x3"},
        encoder_scse=True,
    )
    first = encoder.get_submodule("layer1").get_submodule("stage").get_submodule("0")
    assert torch.equal(first.get_parameter("conv1.weight"), state["layer1.0.conv1.weight"].float())


def test_weights_come_from_a_hub_s_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = smp.encoders.encoders["resnet18"]["pretrained_settings"]["ssl"]
    folder = tmp_path / f"models--{settings['repo_id'].replace('/', '--')}"
    snapshot = folder / "snapshots" / settings["revision"]
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    state = resnet18_file(snapshot / "model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    loaded = encoder_of(tmp_path, encoder="resnet18", weights="ssl")
    assert torch.equal(loaded.get_parameter("bn1.weight"), state["bn1.weight"].float())
    for encoder in ("resnet18", "tu-tf_efficientnet_lite0"):
        with pytest.raises(InputError, match=r"'imagenet' of .* cannot be fetched") as caught:
            encoder_of(tmp_path, encoder=encoder, weights="imagenet")
        assert "\n" not in str(caught.value)


def test_colours_go_to_the_channels_that_show_the_image() -> None:
    colours = torch.rand(4, 3, 3, 3)
    grey = colours.sum(dim=1)
    one = adapt_first_convolution(colours, ["image", "depth"])
    assert torch.equal(one[:, 0], grey) and (one[:, 1] == 0).all()
    three = adapt_first_convolution(colours, ["row", "image", "image", "image"])
    assert torch.equal(three[:, 1:], colours) and (three[:, 0] == 0).all()
    two = adapt_first_convolution(colours, ["image", "image_row", "image"])
    assert torch.allclose(two.sum(dim=1), grey) and torch.equal(two[:, 0], two[:, 2])


def test_a_repeated_image_gives_what_one_gives(tmp_path: Path) -> None:
    def features(channels: list[str]) -> list[Tensor]:
        encoder = encoder_of(
            tmp_path, weights="packaged", input=define_input(channels=channels)
        ).eval()
        image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            encoded: list[Tensor] = encoder(image.expand(-1, len(channels), -1, -1))
        return encoded

    one, three = features(["image"]), features(["image"] * 3)
    assert torch.allclose(one[-1], three[-1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("encoder", "weights", "expected"),
    [
        ("tu-tf_efficientnet_lite0", "packaged", (0.5, 0.5)),
        ("timm-tf_efficientnet_lite0", "imagenet", (0.5, 0.5)),
        ("tu-resnet18", "imagenet", (0.449, 0.226)),
        ("resnet34", "resnet34.safetensors", (0.449, 0.226)),
        ("inceptionv4", "imagenet", (0.5, 0.5)),
        ("dpn92", "imagenet+5k", (0.451, 0.235)),
        ("efficientnet-b0", "imagenet", (0.449, 0.226)),
        ("efficientnet-b0", "advprop", (0.5, 0.5)),
    ],
)
def test_grey_values_are_standardised_as_the_encoder_knows_them(
    encoder: str, weights: str, expected: tuple[float, float]
) -> None:
    assert standardisation(encoder, weights) == expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"encoder": "resnet18", "weights": "packaged"},
            "no weights are packaged for encoder 'resnet18'; only for tu-tf_efficientnet_lite0",
        ),
        ({"weights": "lost.safetensors"}, "lost.safetensors: cannot be read as safetensors"),
        ({"weights": "small.safetensors"}, "do not fit: conv, "),
        (
            {"encoder": "resnet18", "weights": "imagnet"},
            "'imagnet' of resnet18 are not one of packaged, survey, none, imagenet, ssl, swsl or a",
        ),
    ],
)
def test_what_is_not_to_be_had_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    save_file({"conv": torch.zeros(1, 3, 3, 3)}, tmp_path / "small.safetensors")
    with pytest.raises(InputError) as caught:
        encoder_of(tmp_path, **changes)
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", ["parent", "absolute", "link", "folder"])
def test_weights_outside_of_their_folder_are_refused(tmp_path: Path, kind: str) -> None:
    folder, outside = tmp_path / "weights", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    resnet18_file(outside / "mine.safetensors")
    (folder / "link.safetensors").symlink_to(outside / "mine.safetensors")
    (folder / "folder").symlink_to(outside)
    name = {
        "parent": "../outside/mine.safetensors",
        "absolute": str(outside / "mine.safetensors"),
        "link": "link.safetensors",
        "folder": "folder/mine.safetensors",
    }[kind]
    with pytest.raises(InputError, match=r"(outside|link out of) weights/; copy the file there"):
        encoder_of(folder, encoder="resnet18", weights=name)


def test_weights_that_dvc_links_to_its_cache_are_loaded(tmp_path: Path) -> None:
    resnet18_file(tmp_path / "mine.safetensors")
    digest = hash_file(tmp_path / "mine.safetensors")
    cached = tmp_path / "cache/files/md5" / digest[:2] / digest[2:]
    cached.parent.mkdir(parents=True)
    (tmp_path / "mine.safetensors").rename(cached)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/mine.safetensors").symlink_to(cached)
    encoder_of(tmp_path / "weights", encoder="resnet18", weights="mine.safetensors")
