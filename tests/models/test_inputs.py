import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from saltseg.models import create_model
from saltseg.models.inputs import centre, channel, fit, random_offsets, unfit
from tests.helpers.model_definitions import define_input, define_plain_cnn, parse_input

SHAPE = torch.Size((101, 101))


def smooth() -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(101.0), torch.arange(101.0), indexing="ij")
    return (torch.sin(rows / 20) + torch.cos(columns / 15))[None, None]


@pytest.mark.parametrize(
    "changes",
    [
        {"fit": "reflect", "size": 128},
        {"fit": "edge", "size": 129},
        {"fit": "reflect", "size": 301},
        {"fit": "resize", "size": 128},
        {"fit": "resize", "size": 67},
        {"fit": "reflect", "resized": 192, "size": 224},
        {"fit": "edge", "resized": 80, "size": 81},
        {},
    ],
)
def test_what_is_fitted_comes_back(changes: dict[str, object]) -> None:
    definition = parse_input(**changes)
    offset = centre(definition, SHAPE)
    fitted = fit(smooth(), definition, [offset])
    assert fitted.shape == (1, 1, definition.size, definition.size)
    assert torch.allclose(unfit(fitted, definition, [offset], SHAPE), smooth(), atol=0.02)


def test_padding_is_as_even_as_can_be_and_of_its_kind() -> None:
    definition = parse_input(fit="reflect", size=128)
    offset = centre(definition, SHAPE)
    assert offset == (13, 13)
    fitted = fit(smooth(), definition, [offset])[0, 0]
    assert torch.equal(fitted[12], fitted[14]) and torch.equal(fitted[:, 114], fitted[:, 112])
    edge = fit(smooth(), parse_input(fit="edge", size=128), [offset])[0, 0]
    assert (edge[:13] == edge[13]).all() and (edge[:, 114:] == edge[:, 113:114]).all()


def test_random_offsets_put_each_crop_anywhere_and_find_it_again() -> None:
    definition = parse_input(fit="reflect", size=105, offset="random")
    torch.manual_seed(0)
    offsets = random_offsets(definition, SHAPE, 300)
    assert set(offsets) == {(top, left) for top in range(5) for left in range(5)}
    crops = torch.cat([smooth(), -smooth(), 2 * smooth()])
    places = [(0, 0), (4, 4), (1, 3)]
    fitted = fit(crops, definition, places)
    assert torch.equal(fitted[2:], fit(crops[2:], definition, [places[2]]))
    assert torch.equal(unfit(fitted, definition, places, SHAPE), crops)


def test_offsets_are_drawn_in_training_alone() -> None:
    definition = define_plain_cnn(input=define_input(fit="edge", size=120, offset="random"))
    network = create_model(definition, seed=0, weights=None)
    seen: list[Tensor] = []
    network.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images, depth = smooth()[0], torch.tensor([1.0])
    for seed in (1, 2, 2):
        torch.manual_seed(seed)
        network.train()(images, depth)
    for _ in range(2):
        network.eval()(images, depth)
    assert not torch.equal(seen[0], seen[1]) and torch.equal(seen[1], seen[2])
    assert torch.equal(seen[3], seen[4])
    assert torch.equal(seen[3][0, :, 9:110, 9:110], smooth()[0])


def test_pixels_in_the_padding_have_places_of_their_own() -> None:
    channels = ["image", "row", "column", "image_row"]
    definition = define_plain_cnn(input=define_input(fit="reflect", size=128, channels=channels))
    network = create_model(definition, seed=0, weights=None).eval()
    seen: list[Tensor] = []
    network.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(smooth()[0], torch.tensor([1.0]))
    image, row, column, product = seen[0][0]
    assert torch.equal(row[:, 0], torch.linspace(-1, 1, 128)) and torch.equal(column, row.T)
    assert torch.allclose(product, image * (row + 1) / 2, atol=1e-5)


def test_channels_are_what_they_are_called() -> None:
    images, depth = torch.full((3, 101, 101), 0.75), torch.tensor([50.0, 504.5, 959.0])

    def make(name: str) -> Tensor:
        return channel(name, images, depth, mean=0.5, std=0.25)

    assert (make("image") == 1).all()
    assert [float(z[50, 50]) for z in make("depth")] == [0, 0.5, 1]
    row, column = make("row")[1], make("column")[1]
    assert row[0, 0] == -1 and row[-1, 0] == 1 and (row[:, 0] == row[:, 50]).all()
    assert column[0, 0] == -1 and column[0, -1] == 1 and torch.equal(column, row.T)
    product = make("image_row")
    assert (product[:, 0] == 0).all() and (product[:, 50] == 0.5).all()
    assert (product[:, 100] == 1).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fit": "resize", "size": 128, "resized": 96}, "resized: fit resize does not pad"),
        ({"offset": "random"}, "offset: fit none does not pad"),
        ({"size": 128}, "size: fit none keeps 101 px, not 128"),
        ({"fit": "edge", "size": 96}, "size: 96 px is less than the 101 px"),
        ({"fit": "edge", "size": 128, "resized": 192}, "128 px is less than the 192 px"),
        ({"fit": "reflect", "size": 302}, "101 px reflect to at most 301 px"),
        ({"fit": "reflect", "size": 202, "offset": "random"}, "101 px reflect to at most 201 px"),
        ({"channels": []}, "channels"),
        ({"channels": ["colour"]}, "channels"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_input(**changes)
    assert said in str(caught.value)


def test_the_widest_mirrors_are_filled() -> None:
    for size, offset in ((301, "centre"), (201, "random")):
        definition = parse_input(fit="reflect", size=size, offset=offset)
        place = centre(definition, SHAPE) if offset == "centre" else (0, size - 101)
        assert fit(smooth(), definition, [place]).shape[-2:] == (size, size)
