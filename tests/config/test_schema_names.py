"""Parameters that the schema knows and params.yaml does not list."""

import pytest

from saltseg.config.recipes import read_recipe
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from tests.conftest import PROJECT


@pytest.mark.parametrize(
    "name",
    [
        "training.score_every",
        "snapshot_ensemble.predict_test",
        "ingest.own.overlap",
        "train_per_fold.phases.0.input.size",
        "models.lite0.dropout",
    ],
)
def test_what_is_not_listed_yet_is_added_with_a_plus(name: str) -> None:
    with pytest.raises(InputError) as raised:
        read_recipe(Layout(PROJECT), "demo", [f"{name}=5"])
    assert (
        str(raised.value) == f"{name}: params.yaml does not list it yet; add it with +{name}=VALUE"
    )


@pytest.mark.parametrize("name", ["models.lite9.dropout", "train_per_fold.phases.7.input.size"])
def test_no_entry_is_made_up(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: there is no such parameter"):
        read_recipe(Layout(PROJECT), "demo", [f"{name}=5"])


def test_a_misspelt_name_is_answered_with_one_that_is_not_listed_yet() -> None:
    with pytest.raises(InputError, match=r"scor_every: .*; did you mean training\.score_every\?"):
        read_recipe(Layout(PROJECT), "demo", ["training.scor_every=5"])


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ("+snapshot_ensemble.outside=[NAME]", "snapshot_ensemble.outside.0: 'NAME'"),
        (
            "+snapshot_ensemble.member_weights.NAME=2",
            "snapshot_ensemble.member_weights.NAME: 'NAME'",
        ),
        ("+models.Big=1", "models.Big: 'Big'"),
    ],
)
def test_a_name_is_told_what_names_are(override: str, field: str) -> None:
    with pytest.raises(InputError) as raised:
        read_recipe(Layout(PROJECT), "demo", [override])
    assert f"{field} is not allowed: names are small letters, digits and _" in str(raised.value)


def test_the_advice_is_right() -> None:
    assert (
        read_recipe(Layout(PROJECT), "demo", ["+training.score_every=5"]).training.score_every == 5
    )
