"""Test-time augmentation: shifted and scaled views of crops."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class View:
    """A crop scaled about its centre by `scale` and then shifted by `right` and `down` pixels."""

    scale: float = 1.0
    right: int = 0
    down: int = 0

    def look(self, images: torch.Tensor) -> torch.Tensor:
        """Return the view of images, float (b, h, w), which are mirrored beyond their borders."""
        height, width = images.shape[1:]
        right, down = -2 * self.right / width, -2 * self.down / height
        scale = 1 / self.scale
        return _sample(images, scale, scale * right, scale * down, "reflection")

    def undo(self, values: torch.Tensor) -> torch.Tensor:
        """Map values of the view, (b, h, w), back to the crop; 0 where the view does not reach."""
        height, width = values.shape[1:]
        right, down = 2 * self.right / width, 2 * self.down / height
        return _sample(values, self.scale, right, down, "zeros")


def create_views(shifts: Iterable[int], scales: Iterable[float]) -> list[View]:
    """Return four views for each shift (one per direction, in pixels) and one for each scale."""
    sides = ((1, 0), (-1, 0), (0, 1), (0, -1))
    moved = [View(right=shift * x, down=shift * y) for shift in shifts for x, y in sides]
    return moved + [View(scale) for scale in scales]


def _sample(
    values: torch.Tensor, scale: float, right: float, down: float, beyond: str
) -> torch.Tensor:
    """Read `values` at scale * x + (right, down), where x goes from -1 to 1 over the image."""
    rows = [[scale, 0.0, right], [0.0, scale, down]]
    affine = torch.tensor([rows], dtype=values.dtype, device=values.device)
    count, height, width = values.shape  # not len(values), which would fix it in an export
    shape = [count, 1, height, width]
    grid = functional.affine_grid(affine.expand(count, 2, 3), shape, align_corners=False)
    return functional.grid_sample(
        values[:, None], grid, padding_mode=beyond, align_corners=False
    ).squeeze(1)
