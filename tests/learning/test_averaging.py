from collections.abc import Iterator

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from saltseg.config.params import Params
from saltseg.learning.averaging import Average
from saltseg.learning.batches import Batch
from saltseg.models.devices import create_fabric


class Network(nn.Module):
    """One weight, and batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.norm = nn.BatchNorm2d(1, affine=False)

    def forward(self, images: Tensor, depth: Tensor) -> Tensor:
        normed: Tensor = self.norm(images[:, None] + self.weight)
        return normed + depth[:, None, None, None]


@pytest.fixture
def fabric(shrunk_params: Params) -> Iterator[Fabric]:
    threads = torch.get_num_threads()
    yield create_fabric(
        shrunk_params.runtime.model_copy(update={"accelerator": "cpu", "precision": "float32"})
    )
    torch.set_num_threads(threads)


def take(average: Average, network: Network, values: list[float]) -> None:
    for value in values:
        with torch.no_grad():
            network.weight.fill_(value)
            network.norm.running_mean.fill_(value)  # type: ignore[union-attr]
            network.norm.num_batches_tracked.fill_(int(value))  # type: ignore[union-attr]
        average.update(network)


def test_an_exponential_average_follows_at_first_and_then_keeps_its_decay(fabric: Fabric) -> None:
    network = Network()
    average = Average(network, "ema", decay=0.25, fabric=fabric)
    take(average, network, [8.0, 4.0, 6.0, 2.0])
    expected = 8.0
    for kept, value in ((2 / 11, 4.0), (3 / 12, 6.0), (0.25, 2.0)):
        expected = kept * expected + (1 - kept) * value
    held = average.model.state_dict()
    assert torch.isclose(held["weight"], torch.tensor(expected)).all()
    assert torch.isclose(held["norm.running_mean"], torch.tensor(expected)).all()
    assert held["norm.num_batches_tracked"] == 2
    assert network.weight.item() == 2.0


def test_a_stochastic_average_weighs_alike_and_is_normalised_by_the_batches(
    fabric: Fabric,
) -> None:
    network = Network()
    average = Average(network, "swa", decay=0.25, fabric=fabric)
    take(average, network, [8.0, 4.0, 6.0])
    batches: list[Batch] = [
        (torch.full((2, 3, 3), 51 * n, dtype=torch.uint8), torch.zeros(2, 3, 3), torch.zeros(2))
        for n in (1, 3)
    ]
    average.normalise(batches)
    held = average.model.state_dict()
    assert torch.isclose(held["weight"], torch.tensor(6.0)).all()
    assert torch.isclose(held["norm.running_mean"], torch.tensor(6.0 + (0.2 + 0.6) / 2)).all()
    assert average.model.norm.momentum == 0.1


@pytest.mark.parametrize("rule", ["ema", "swa"])
def test_an_average_goes_on_where_its_state_was_taken(fabric: Fabric, rule: str) -> None:
    network = Network()
    average = Average(network, rule, decay=0.9, fabric=fabric)  # type: ignore[arg-type]
    take(average, network, [8.0, 4.0])
    again = Average.restored(Network(), average.state(), fabric)
    for each in (average, again):
        take(each, network, [1.0, 3.0])
    one, other = average.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
