import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saltseg.config.params import Params
from saltseg.inference.predictor import predict_all
from saltseg.inference.views import View, create_views
from saltseg.models.devices import create_fabric


def test_a_view_is_moved_by_whole_pixels_and_mirrored_beyond_the_border() -> None:
    image = torch.arange(101.0 * 101).reshape(1, 101, 101)
    seen = View(right=3, down=-2).look(image)
    assert torch.allclose(seen[:, :-2, 3:], image[:, 2:, :-3], atol=0.02)
    assert torch.allclose(seen[:, :-2, :3], image[:, 2:, :3].flip(-1), atol=0.02)
    enlarged = View(scale=2.0).look(image)
    assert torch.allclose(enlarged[0, 50], image[0, 50, 25:76].repeat_interleave(2)[:101], atol=1)


@pytest.mark.parametrize("view", [*create_views([2, 7], [0.8, 1.25]), View(1.1, 4, -5)])
def test_what_is_undone_lies_where_it_was_or_is_unknown(view: View) -> None:
    smooth = torch.linspace(0, 1, 101).expand(1, 101, 101)
    ramp = (smooth + smooth.transpose(1, 2)) / 2
    known = view.undo(torch.ones(1, 101, 101))
    back = view.undo(view.look(ramp))
    # Beside the border the mirrored part of a view that shows more is blended in.
    assert ((back - ramp * known).abs() < 0.01).float().mean() > 0.97
    assert 0.6 < (known > 0.99).float().mean() <= 1
    assert (known.min() < 0.01) == (view.right != 0 or view.down != 0 or view.scale > 1)


class Darkness(nn.Module):
    """Says of each pixel how bright it is: what is predicted must be where it is seen."""

    def forward(self, images: Tensor, depth: Tensor) -> Tensor:
        return images.clamp(0.01, 0.99).logit() + 0 * depth[:, None, None]


def test_views_share_in_the_mean_only_where_they_show(shrunk_params: Params) -> None:
    runtime = {"accelerator": "cpu", "precision": "float32", "threads": 1}
    fabric = create_fabric(shrunk_params.runtime.model_copy(update=runtime))
    network = fabric.setup_module(Darkness())
    row = np.linspace(40, 200, 101)
    images = np.broadcast_to((row + row[:, None]) / 2, (3, 101, 101)).astype(np.uint8)
    depth = np.zeros(3, np.float32)
    alone = predict_all(network, images, depth, fabric, flip=True)
    views = create_views([4], [0.9, 1.2])
    mean = predict_all(network, images, depth, fabric, flip=True, views=views)
    assert mean.dtype == np.float32 and not np.array_equal(mean, alone)
    assert np.abs(mean - alone).max() < 0.01
