"""Snapshots of one member and fold: weights in safetensors files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import whole_file

Weights = dict[str, torch.Tensor]
"""The tensors of a network, by name."""


def save_snapshots(folder: Path, snapshots: Sequence[Mapping[str, torch.Tensor]]) -> None:
    """Write snapshot_0.safetensors, snapshot_1.safetensors, ..., oldest first."""
    for index, weights in enumerate(snapshots):
        save_weights(snapshot_path(folder, index), weights)


def save_weights(path: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Write a safetensors file."""
    with whole_file(path) as temporary:
        temporary.write_bytes(save(dict(weights)))


def snapshot_path(folder: Path, index: int) -> Path:
    """Return the path of a snapshot; 0 is the oldest."""
    return folder / f"snapshot_{index}.safetensors"


def load_snapshot(path: Path) -> Weights:
    """Read the weights of one snapshot. Raises InputError if the file is damaged."""
    return load_weights(path, "fetch it with 'dvc pull', or fetch the model again")


def load_weights(path: Path, remedy: str) -> Weights:
    """Read a safetensors file; numbers in half precision become float32.

    Raises InputError, ending in `remedy`, if that fails.
    """
    try:
        weights: Weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error}); {remedy}") from error
    return {name: _single(tensor) for name, tensor in weights.items()}


def _single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype == torch.float16 else tensor
