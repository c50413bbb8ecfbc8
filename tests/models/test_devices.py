"""The device computes as the parameters say, whatever the environment says."""

from collections.abc import Iterator

import pytest
import torch
import yaml

from saltseg.config.params import Params
from saltseg.models.devices import create_fabric
from saltseg.plumbing.errors import InputError
from tests.conftest import PROJECT


@pytest.fixture
def two_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def undetermined() -> Iterator[None]:
    """Torch as it starts; what other tests had set comes back."""
    enabled = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)
    yield
    torch.use_deterministic_algorithms(enabled, warn_only=warn_only)


@pytest.mark.usefixtures("two_threads")
def test_the_parameters_alone_say_how_many_threads_compute(shrunk_params: Params) -> None:
    create_fabric(shrunk_params.runtime.model_copy(update={"threads": 3}))
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("two_threads", "undetermined")
def test_operations_are_deterministic_or_warn(shrunk_params: Params) -> None:
    create_fabric(shrunk_params.runtime)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()


def test_a_device_that_is_not_there_is_one_line(shrunk_params: Params) -> None:
    missing = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(InputError, match=rf"runtime\.accelerator: {missing}: .* use auto or cpu"):
        create_fabric(shrunk_params.runtime.model_copy(update={"accelerator": missing}))


def test_a_stage_that_computes_with_networks_tracks_the_threads() -> None:
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"].values()
    computing = [stage["params"] for stage in stages if "runtime.precision" in stage["params"]]
    assert len(computing) == 4
    assert all("runtime.threads" in params for params in computing)
