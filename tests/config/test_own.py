"""ingest.own: there with its source alone, and overridden as Hydra adds what is not there."""

from pathlib import Path
from typing import Any

import pytest

from saltseg.config.params import parse_params
from saltseg.config.recipes import read_recipe
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from tests.conftest import shrunk_content

PROJECT = Layout(Path(__file__).parents[2])


def test_overrides_on_the_command_line() -> None:
    overrides = ["ingest.source=own", "ingest.raw_dir=data/mine"]
    plain = read_recipe(PROJECT, "demo", overrides).ingest
    assert plain.source == "own" and plain.own is None
    more = ["+ingest.own.lines=[3,-1]", "+ingest.own.survey.domain=depth"]
    own = read_recipe(PROJECT, "demo", [*overrides, *more]).ingest.own
    assert own is not None
    assert (own.lines, own.survey.domain, own.overlap) == ([3, -1], "depth", "half")
    tgs = read_recipe(PROJECT, "demo", ["ingest.source=tgs", "ingest.raw_dir=data/tgs"]).ingest
    assert (tgs.source, tgs.raw_dir, tgs.own) == ("tgs", "data/tgs", None)


@pytest.mark.parametrize(
    ("ingest", "strategy", "message"),
    [
        ({"source": "survey", "own": {}}, "coverage_grouped", "ingest.own: means nothing with sou"),
        ({"source": "tgs", "own": {}}, "coverage_grouped", "ingest.own: means nothing with source"),
        ({"source": "own"}, "coverage", "fold_split.strategy: coverage would cut images and lines"),
        (
            {"source": "own", "own": {"survey": {"cdp_byte": 21, "inline_byte": 9}}},
            "coverage_grouped",
            "ingest.own.survey.cdp_byte: 21 reads a 2D line",
        ),
        (
            {"source": "own", "own": {"lap": 1}},
            "coverage_grouped",
            "ingest.own.lap: there is no such",
        ),
    ],
)
def test_what_means_nothing_cannot_be_written(
    ingest: dict[str, Any], strategy: str, message: str
) -> None:
    content = shrunk_content()
    content["ingest"] |= ingest
    content["fold_split"]["strategy"] = strategy
    with pytest.raises(InputError) as caught:
        parse_params(content, "params.yaml")
    assert message in str(caught.value)
