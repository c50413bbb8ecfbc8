"""The Lovász hinge, forward and backward, beside segmentation-models-pytorch's."""

import segmentation_models_pytorch as smp
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.side_by_side import Row, compare, fact_row
from saltseg.learning.losses import lovasz, lovasz_symmetric

SIDE = 128
BATCH = 32


def rows() -> list[Row]:
    """Measure on the processor, and on a GPU where there is one."""
    found = on_device(torch.device("cpu"))
    if not torch.cuda.is_available():
        return [*found, fact_row("the same on a GPU", "no GPU here")]
    return found + on_device(torch.device("cuda"))


def on_device(device: torch.device) -> list[Row]:
    logits, masks = (tensor.to(device) for tensor in batch())
    logits.requires_grad_()
    theirs = smp.losses.LovaszLoss("binary", per_image=True)

    def step(loss: Tensor) -> Tensor:
        logits.grad = None
        loss.backward()
        if device.type == "cuda":
            torch.cuda.synchronize()
        assert logits.grad is not None
        return logits.grad

    def of_smp(logits: Tensor, masks: Tensor) -> Tensor:
        return step(theirs(logits[:, None], masks[:, None]))

    assert torch.allclose(step(lovasz(logits, masks)), of_smp(logits, masks), rtol=0, atol=1e-7)
    name = f"Lovász hinge, batch of {BATCH} at {SIDE} px, {device.type}"
    return [
        *compare(
            name,
            lambda: step(lovasz(logits, masks)),
            {"smp, a loop over images": lambda: of_smp(logits, masks)},
            {"smp, a loop over images": 5},
            repeats=15,
        ),
        *compare(
            f"symmetric {name}",
            lambda: step(lovasz_symmetric(logits, masks)),
            {"smp twice": lambda: (of_smp(logits, masks), of_smp(-logits, 1 - masks))},
            {},
            repeats=15,
        ),
    ]


def batch() -> tuple[Tensor, Tensor]:
    """Return logits that are mostly right, and masks of which a third are empty."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(BATCH, 1, 5, 5, generator=generator)
    masks = (functional.interpolate(coarse, SIDE, mode="bicubic")[:, 0] > 0.3).float()
    masks[::3] = 0
    return 4 * (masks - 0.5) + 2 * torch.randn(masks.shape, generator=generator), masks
