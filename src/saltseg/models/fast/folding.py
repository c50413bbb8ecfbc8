"""Folding batch normalisation and activations into the preceding convolutions."""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from saltseg.models.fast.activated import ActivatedConvolution, can_activate
from saltseg.models.fast.shapes import run_shapes
from saltseg.models.fast.timm_layers import is_plain_normalisation, is_timm_layer

Network = TypeVar("Network", bound=nn.Module)

ACTIVATIONS = (functional.relu, functional.relu6, functional.hardtanh)
"""The functions that the activations of models.fast.activated call."""


def fold_snapshots(
    network: Network, snapshots: Sequence[Mapping[str, Tensor]]
) -> tuple[Network, list[dict[str, Tensor]]]:
    """Return a network for prediction only, and each snapshot's weights for it.

    network: a SaltNetwork, left unchanged; snapshots: its state dicts, at least one. The weights
    are copies: loading one snapshot into the returned network leaves the others alone.
    """
    folded = [copy.deepcopy(network) for _ in snapshots]
    for each, weights in zip(folded, snapshots, strict=True):
        each.load_state_dict(weights)
        fold_normalisation(each)
    # state_dict() shares memory with the network, which load_state_dict overwrites.
    return folded[0], [_copied(each.state_dict()) for each in folded]


def _copied(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in weights.items()}


def fold_normalisation(network: nn.Module) -> None:
    """Fold each batch normalisation into the convolution before it, in place.

    network: a SaltNetwork with its weights; afterwards it can neither be trained nor load other
    weights. Only convolutions whose output nothing else reads are changed; a run on meta tensors
    finds them, whatever the architecture. In evaluation mode the output stays the same up to
    rounding; a prediction of EfficientNet-Lite 0 on a CPU takes a fifth less time. An activation
    that follows directly is fused too.
    """
    recorder = _Recorder()
    try:
        with recorder:
            shapes = run_shapes(network)
    except NotImplementedError:
        return  # An operation does not support meta tensors: fold nothing.
    modules = {id(tensor): name.rpartition(".")[0] for name, tensor in shapes.items()}
    for kernel, mean, activated in recorder.pairs():
        if kernel not in modules or mean not in modules:
            continue  # a kernel computed from other tensors
        if not is_plain_normalisation(network.get_submodule(modules[mean])):
            continue  # another module, which may do more than normalise
        _fold(network, modules[kernel], modules[mean])
        if activated:
            _activate(network, modules[kernel], modules[mean])


def _fold(network: nn.Module, convolution_name: str, normalisation_name: str) -> None:
    convolution: Any = network.get_submodule(convolution_name)
    normalisation: Any = network.get_submodule(normalisation_name)
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        normalisation.running_mean,
        normalisation.running_var,
        normalisation.eps,
        normalisation.weight,
        normalisation.bias,
    )
    activated = is_timm_layer(normalisation, "BatchNormAct2d")
    rest = normalisation.act if activated else nn.Identity()
    network.set_submodule(normalisation_name, rest)


def _activate(network: nn.Module, convolution_name: str, normalisation_name: str) -> None:
    """Fuse the activation after a folded normalisation into the convolution, if it is found."""
    convolution: Any = network.get_submodule(convolution_name)
    for name in (normalisation_name, _next_in_sequence(network, normalisation_name)):
        activation = network.get_submodule(name)
        if can_activate(convolution, activation):
            network.set_submodule(convolution_name, ActivatedConvolution(convolution, activation))
            network.set_submodule(name, nn.Identity())
            return


def _next_in_sequence(network: nn.Module, name: str) -> str:
    """Return the name of the next module in a Sequential, or the same name if there is none."""
    parent, _, own = name.rpartition(".")
    sequence = network.get_submodule(parent)
    if not isinstance(sequence, nn.Sequential):
        return name
    names = [key for key, _ in sequence.named_children()]
    return f"{parent}.{names[min(names.index(own) + 1, len(names) - 1)]}"


class _Recorder(TorchFunctionMode):
    """Records which tensors the operations of a run read and where convolution outputs go."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[int] = Counter()
        self.convolutions: dict[int, int] = {}
        self.normalisations: list[tuple[int, int, int]] = []
        self.first_readers: dict[int, tuple[Any, Any]] = {}
        self.kept: list[object] = []

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401  # any function of torch
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Run `func`, and record the identities of the tensors that it reads and returns."""
        result = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        self.kept += [*tensors, result]  # so that no identity is reused
        if any(isinstance(leaf, Tensor) for leaf in tree_leaves(result)):
            self.reads.update(id(tensor) for tensor in tensors)
            for tensor in tensors:
                self.first_readers.setdefault(id(tensor), (func, result))
        if func is torch.conv2d:
            self.convolutions[id(result)] = id(args[1])
        elif func is functional.batch_norm and len(args) > 1:
            self.normalisations.append((id(args[0]), id(args[1]), id(result)))
        return result

    def pairs(self) -> list[tuple[int, int, bool]]:
        """Return the identities of each foldable kernel and running mean, and whether to activate.

        A pair is foldable if both are used once and only the normalisation reads the output of the
        convolution. It is activated if only an activation reads the output of the normalisation.
        """
        return [
            (self.convolutions[output], mean, self._is_activated(result))
            for output, mean, result in self.normalisations
            if output in self.convolutions
            and self.reads[output] == self.reads[mean] == self.reads[self.convolutions[output]] == 1
        ]

    def _is_activated(self, output: int) -> bool:
        func, result = self.first_readers.get(output, (None, None))
        in_place = id(result) == output  # later readers see the activated values
        return func in ACTIVATIONS and (in_place or self.reads[output] == 1)
