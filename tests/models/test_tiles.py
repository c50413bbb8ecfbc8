import pytest
import torch

from saltseg.config.params import Params
from saltseg.models import create_model
from saltseg.models.averages import averaged
from saltseg.models.tiles import TileNetwork, takes_tiles, whole_side


@pytest.mark.parametrize("name", ["lite0", "class_unet"])
def test_a_tile_of_the_input_s_size_is_what_the_body_makes_of_it(
    shrunk_params: Params, name: str
) -> None:
    definition = shrunk_params.models[name]
    network = create_model(definition, 1, None).eval()
    side = whole_side(definition, 120)
    images = torch.rand(2, side, side + 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = TileNetwork.of(network).eval()(images, torch.zeros(2))
        inputs = ((images - network.mean) / network.std)[:, None]
        known = network.body(inputs).logits[:, 0]
        torch.testing.assert_close(found, known, rtol=1e-3, atol=1e-4)
        odd = TileNetwork.of(network).eval()(images[:, :103, :130], torch.zeros(2))
    assert takes_tiles(definition) and odd.shape == (2, 103, 130)


def test_channels_that_tell_a_place_keep_tiles_to_the_crop(shrunk_params: Params) -> None:
    definition = shrunk_params.models["lite0"]
    placed = definition.input.model_copy(update={"channels": ["image", "row"]})
    assert not takes_tiles(definition.model_copy(update={"input": placed}))
    assert not takes_tiles(definition.model_copy(update={"empty_head": True}))


def test_the_average_has_the_statistics_of_the_mixture() -> None:
    one = {"a.running_mean": torch.tensor([0.0]), "a.running_var": torch.tensor([1.0])}
    other = {"a.running_mean": torch.tensor([2.0]), "a.running_var": torch.tensor([3.0])}
    counts = {"a.num_batches_tracked": torch.tensor(5)}
    found = averaged([one | counts, other | counts], [0.5, 0.5])
    assert found["a.running_mean"] == 1 and found["a.running_var"] == 3
    assert found["a.num_batches_tracked"] == 5
