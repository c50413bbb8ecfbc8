"""Optimisers by name."""

import torch
from torch import nn

from saltseg.config.sections import Optimizer


def create_optimizer(network: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """Return the optimiser of `settings`; biases and normalisation are not decayed.

    The learning rate is set before each step by the schedule.
    """
    tensors = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [t for t in tensors if t.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [t for t in tensors if t.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.name == "sgd":
        return torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum, nesterov=True)
    if settings.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=0.0, momentum=settings.momentum)
    if settings.name == "adam":
        return torch.optim.Adam(groups, lr=0.0)
    return torch.optim.AdamW(groups, lr=0.0)
