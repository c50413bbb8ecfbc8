"""Changes to encoders, whatever their family: the stem, and attention after each stage."""

import segmentation_models_pytorch as smp
import timm
import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from timm.models.efficientnet import EfficientNetFeatures
from torch import Tensor, nn

from saltseg.config.model_definitions import Stem
from saltseg.plumbing.errors import InputError

PROBE = 64
"""Height and width of the image that shows how an encoder works."""


def is_known(encoder: str) -> bool:
    """Whether segmentation-models-pytorch or, after `tu-`, timm has an encoder of this name."""
    timm_name = encoder.removeprefix("tu-")
    if timm_name != encoder:
        return bool(timm.is_model(timm_name))
    return encoder in smp.encoders.get_encoder_names()


def drop_unread_stages(encoder: nn.Module) -> None:
    """Take off the stages of an EfficientNet below the deepest that a decoder reads.

    timm computes them all the same: two thirds of Lite 0's weights, where there are four levels.
    """
    network = getattr(encoder, "model", None)
    if isinstance(network, EfficientNetFeatures):
        deepest = max(feature["stage"] for feature in network.feature_info.get_dicts())
        network.blocks = network.blocks[:deepest]


def change_stem(encoder: nn.Module, stem: Stem, channels: int, name: str) -> None:
    """Change the first convolution and the first pooling of an encoder in its place.

    No first pooling: +0.010 for the 2nd place; at stride one: the 28th; 3x3: the 1st's ResNet-34.
    Raises InputError where the encoder's stem is not one that can be changed so.
    """
    if stem.convolution == "3x3":
        _replace_convolution(encoder, name)
    if stem.stride == "one":
        _first_convolution(encoder, name).stride = (1, 1)
    if stem.pooling != "own":
        _replace_pooling(encoder, stem, name)
    if (stem.stride, stem.pooling) != ("own", "own"):
        _check_stem(encoder, stem, channels, name)


def _check_stem(encoder: nn.Module, stem: Stem, channels: int, name: str) -> None:
    """Some families pad for one stride only, or need two branches to fit."""
    first = PROBE if stem.stride == "one" else PROBE // 2
    second = first // 2 if stem.pooling == "own" else first
    try:
        sizes = [feature.shape[-1] for feature in _probe(encoder, channels)[1:3]]
    except RuntimeError:
        sizes = []
    if sizes != [first, second]:
        raise InputError(f"params.yaml: models: stem: {name} cannot be changed so; set all to own")


def _replace_convolution(encoder: nn.Module, name: str) -> None:
    old = _first_convolution(encoder, name)
    if old.kernel_size == (3, 3):
        raise InputError(
            f"params.yaml: models: stem.convolution: {name} begins with 3x3; set it to own"
        )
    new = nn.Conv2d(old.in_channels, old.out_channels, 3, stride=2, padding=1, bias=False)
    path = next(path for path, module in encoder.named_modules() if module is old)
    _put(encoder, path, new)


def _first_convolution(encoder: nn.Module, name: str) -> nn.Conv2d:
    first = next((module for module in encoder.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None or first.stride != (2, 2):
        raise InputError(
            f"params.yaml: models: stem: {name} has no first convolution of stride two; "
            "set convolution and stride to own"
        )
    return first


def _replace_pooling(encoder: nn.Module, stem: Stem, name: str) -> None:
    pools = (path for path, m in encoder.named_modules() if isinstance(m, nn.MaxPool2d))
    path = next(pools, None)
    if path is None:
        raise InputError(
            f"params.yaml: models: stem.pooling: {name} has no first pooling; set it to own"
        )
    _put(encoder, path, nn.Identity() if stem.pooling == "none" else nn.MaxPool2d(3, 1, padding=1))


class Attended(nn.Module):
    """A stage of an encoder, followed by squeeze and excitation (Roy et al. 2018)."""

    def __init__(self, stage: nn.Module, channels: int) -> None:
        """Wrap a stage that puts out `channels` channels."""
        super().__init__()
        self.stage = stage
        self.scse = SCSEModule(channels, reduction=min(16, channels))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what the stage puts out, weighed by channel and by place."""
        weighed: Tensor = self.scse(self.stage(*inputs))
        return weighed


def add_attention(encoder: nn.Module, channels: int, name: str) -> None:
    """Put scSE after each stage of an encoder but the first, so that later stages see it too.

    Raises InputError where a stage cannot be told from what surrounds it.
    """
    for path, width in _stages(encoder, channels, name):
        _put(encoder, path, Attended(encoder.get_submodule(path), width))


def _stages(encoder: nn.Module, channels: int, name: str) -> list[tuple[str, int]]:
    """Return path and width of the module that makes each feature map from the third on.

    A module inside of a stage may hand on the very tensor that the stage puts out, and so may one
    after it; the stage is the outermost module around the first that does.
    """
    made: list[tuple[str, Tensor]] = []
    handles = [
        module.register_forward_hook(lambda _, __, output, path=path: made.append((path, output)))
        for path, module in encoder.named_modules()
        if path
    ]
    features = _probe(encoder, channels)
    for handle in handles:
        handle.remove()
    stages = []
    for feature in features[2:]:
        paths = [path for path, output in made if output is feature]
        if not paths:
            raise InputError(f"params.yaml: models: encoder_scse: cannot be put into {name}")
        around = [path for path in paths if f"{paths[0]}.".startswith(f"{path}.")]
        stages.append((min(around, key=len), feature.shape[1]))
    return stages


def _probe(encoder: nn.Module, channels: int) -> list[Tensor]:
    """Return the features of an image without content."""
    training = encoder.training
    with torch.no_grad():
        features: list[Tensor] = encoder.eval()(torch.zeros(1, channels, PROBE, PROBE))
    encoder.train(training)
    return features


def _put(encoder: nn.Module, path: str, module: nn.Module) -> None:
    """Put a module in the place of the one at `path`."""
    parent, _, last = path.rpartition(".")
    setattr(encoder.get_submodule(parent), last, module)
