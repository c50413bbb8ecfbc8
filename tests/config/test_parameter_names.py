"""Wrong names of parameters are answered with the one that was meant."""

import pytest

from saltseg.config.parameter_names import nearest_name, parameter_names, unknown_name
from saltseg.config.params import parse_params
from saltseg.plumbing.errors import InputError
from tests.conftest import shrunk_content

NAMES = {*parameter_names(shrunk_content())}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("base.sed", "base.seed"),
        ("seed", "base.seed"),
        ("n_folds", "fold_split.n_folds"),
        ("train_per_fold.n_folds", "fold_split.n_folds"),
        ("fold_split.strategie", "fold_split.strategy"),
        ("postprocess.salt_size", "postprocess_connected_components.salt_sizes"),
        ("xyzzy", None),
    ],
)
def test_the_nearest_name(given: str, meant: str | None) -> None:
    assert nearest_name(given, NAMES) == meant


def test_a_mapping_of_names_takes_new_ones() -> None:
    assert unknown_name("models.mine", NAMES).endswith("add it with +models.mine=VALUE")


def test_a_misspelt_line_of_params_yaml_is_told_before_the_one_that_is_missing() -> None:
    content = shrunk_content()
    content["base"]["sed"] = content["base"].pop("seed")
    with pytest.raises(InputError, match=r"base\.sed: there is no such .* mean base\.seed\? \(1 m"):
        parse_params(content, "params.yaml")
