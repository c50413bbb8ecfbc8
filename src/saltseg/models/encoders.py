"""Changes to encoders of any family: the stem, and attention after each stage."""

import segmentation_models_pytorch as smp
import timm
import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from timm.models.efficientnet import EfficientNetFeatures
from torch import Tensor, nn

from saltseg.config.model_definitions import Stem
from saltseg.plumbing.errors import InputError

PROBE = 64
"""Height and width of the image used to probe an encoder."""


def is_known(encoder: str) -> bool:
    """Return whether segmentation-models-pytorch or, after `tu-`, timm has this encoder."""
    timm_name = encoder.removeprefix("tu-")
    if timm_name != encoder:
        return bool(timm.is_model(timm_name))
    return encoder in smp.encoders.get_encoder_names()


def drop_unread_stages(encoder: nn.Module) -> None:
    """Remove the stages of an EfficientNet beyond the deepest that a decoder reads.

    timm computes them all the same: with four levels, two thirds of Lite 0's weights.
    """
    network = getattr(encoder, "model", None)
    if isinstance(network, EfficientNetFeatures):
        deepest = max(feature["stage"] for feature in network.feature_info.get_dicts())
        network.blocks = network.blocks[:deepest]


def change_stem(encoder: nn.Module, stem: Stem, channels: int, name: str) -> None:
    """Change the first convolution and the first pooling of an encoder in place.

    No first pooling gained the 2nd place +0.010; the 28th used stride one; the 1st place's
    ResNet-34 has a 3x3 convolution.
    Raises InputError if the encoder's stem cannot be changed in this way.
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
    """Check the sizes: some families pad for one stride only, or have branches that must match."""
    first = PROBE if stem.stride == "one" else PROBE // 2
    second = first // 2 if stem.pooling == "own" else first
    try:
        sizes = [feature.shape[-1] for feature in _probe(encoder, channels)[1:3]]
    except RuntimeError:
        sizes = []
    if sizes != [first, second]:
        raise InputError(f"params.yaml: models: stem: {name} does not allow this; set all to own")


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
        """Wrap a stage with `channels` output channels."""
        super().__init__()
        self.stage = stage
        self.scse = SCSEModule(channels, reduction=min(16, channels))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the stage's output, reweighted by channel and position."""
        weighed: Tensor = self.scse(self.stage(*inputs))
        return weighed


def add_attention(encoder: nn.Module, channels: int, name: str) -> None:
    """Insert scSE after each encoder stage but the first, so that later stages see it too.

    Raises InputError if a stage cannot be identified.
    """
    for path, width in _stages(encoder, channels, name):
        _put(encoder, path, Attended(encoder.get_submodule(path), width))


def _stages(encoder: nn.Module, channels: int, name: str) -> list[tuple[str, int]]:
    """Return path and width of the module that produces each feature map from the third on.

    Modules inside a stage or after it may return the very tensor that the stage returns; the stage
    is the outermost module around the first that does.
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
            raise InputError(
                f"params.yaml: models: encoder_scse: not possible in {name}; set false"
            )
        around = [path for path in paths if f"{paths[0]}.".startswith(f"{path}.")]
        stages.append((min(around, key=len), feature.shape[1]))
    return stages


def _probe(encoder: nn.Module, channels: int) -> list[Tensor]:
    """Return the features of an all-zero image."""
    training = encoder.training
    with torch.no_grad():
        features: list[Tensor] = encoder.eval()(torch.zeros(1, channels, PROBE, PROBE))
    encoder.train(training)
    return features


def _put(encoder: nn.Module, path: str, module: nn.Module) -> None:
    """Replace the module at `path`."""
    parent, _, last = path.rpartition(".")
    setattr(encoder.get_submodule(parent), last, module)
