"""timm's layers, recognised without importing timm, which takes longer than torch itself.

A network without an encoder of timm never imports it; where a layer is timm's, timm is imported.
"""

from typing import TypeGuard

from torch import nn


def is_timm_layer(module: nn.Module, name: str) -> bool:
    """Return whether a module is of timm's class `name` itself, and not of a subclass."""
    kind = type(module)
    return kind.__name__ == name and kind.__module__.startswith("timm.layers.")


def is_plain_convolution(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Return whether a module is torch's Conv2d or timm's with `same` padding."""
    return type(module) is nn.Conv2d or is_timm_layer(module, "Conv2dSame")


def is_plain_normalisation(module: nn.Module) -> bool:
    """Return whether a module is torch's BatchNorm2d or timm's with an activation."""
    return type(module) is nn.BatchNorm2d or is_timm_layer(module, "BatchNormAct2d")
