"""Phases as params.yaml writes them, and as it wrote them before."""

from typing import Any

import pytest
import yaml

from saltseg.config.old_phases import rewrite_old
from saltseg.config.params import parse_params
from saltseg.config.phases import Best, Ema, Last, Mixed, Phase
from saltseg.config.rate_schedules import Constant, Plateau
from saltseg.plumbing.errors import InputError
from tests.conftest import shrunk_content
from tests.helpers.phases import make_phase

OLD: dict[str, Any] = {
    "data": "train",
    "loss": {"bce": 1.0},
    "cycles": 2,
    "epochs": 4,
    "learning_rate": 0.01,
    "final_learning_rate": 0.001,
    "snapshots": True,
}
RATES = {"learning_rate": 0.01, "final_learning_rate": 0.001}
PLATEAU = {"schedule": "plateau", "cycles": 1, "stop_patience": 9}

REWRITTEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"schedule": {"cosine": {"cycles": 2, "epochs": 4, **RATES}}, "keep": "cycle_ends"}),
    (
        {"final_learning_rate": 0.01},
        {"schedule": {"constant": {"cycles": 2, "epochs": 4, "learning_rate": 0.01}}},
    ),
    ({"schedule": "one_cycle"}, {"schedule": {"one_cycle": {"cycles": 2, "epochs": 4, **RATES}}}),
    (PLATEAU, {"schedule": {"plateau": {"epochs": 4, **RATES, "stop_patience": 9}}}),
    ({"snapshots": False, "keep_last": 0}, {"keep": "none"}),
    ({"keep_last": 3, "keep_best": 0}, {"keep": {"last": 3}}),
    ({"keep_last": 0, "keep_best": 3}, {"keep": {"best": 3}}),
    ({"averaging": "none", "averaging_decay": 0.99}, {"averaging": "none"}),
    ({"averaging": "ema", "averaging_decay": 0.99}, {"averaging": {"ema": {"decay": 0.99}}}),
    ({"averaging": "swa"}, {"averaging": "swa"}),
    ({"data": "mixed", "pseudolabel_share": 0.25}, {"data": {"mixed": {"share": 0.25}}}),
]


@pytest.mark.parametrize(("changes", "expected"), REWRITTEN)
def test_an_old_phase_is_refused_with_the_line_that_replaces_it(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    old = {**OLD, **changes}
    new = rewrite_old(old)
    assert expected.items() <= new.items()
    content = shrunk_content()
    content["train_per_fold"]["phases"][1] = old
    with pytest.raises(InputError) as refused:
        parse_params(content, "params.yaml")
    said = str(refused.value)
    assert said.startswith("params.yaml: train_per_fold.phases.1: a phase is now written {data: ")
    assert "\n" not in said and "see docs/recipes.md" in said and "'saltseg recipe NAME'" in said
    written = said.partition("a phase is now written ")[2].partition("; see docs")[0]
    assert yaml.safe_load(written) == new
    Phase.model_validate(new)


def test_a_broken_old_phase_is_refused_too() -> None:
    content = shrunk_content()
    content["train_per_fold"]["phases"][1] = {"data": "train", "cycles": 1}
    with pytest.raises(InputError, match=r"phases\.1: a phase is now written {data: train"):
        parse_params(content, "params.yaml")


def test_what_is_written_is_what_is_read() -> None:
    phase = make_phase(
        "plateau",
        data={"mixed": {"share": 0.25}},
        averaging={"ema": {"decay": 0.9}},
        keep={"best": 1},
    )
    assert isinstance(phase.schedule, Plateau)
    assert (phase.data, phase.averaging, phase.keep) == (
        Mixed(share=0.25),
        Ema(decay=0.9),
        Best(best=1),
    )
    written = phase.model_dump(mode="json")
    assert written["data"] == {"mixed": {"share": 0.25}} and written["keep"] == {"best": 1}
    assert [*written["schedule"]] == ["plateau"]
    assert Phase.model_validate(written) == phase


def test_the_shortest_phase() -> None:
    phase = Phase.model_validate(
        yaml.safe_load(
            "{data: train, loss: {bce: 1}, keep: {last: 2},"
            " schedule: {constant: {epochs: 3, learning_rate: 1e-3}}}"
        )
    )
    assert phase.schedule == Constant(cycles=1, epochs=3, learning_rate=0.001)
    assert phase.keep == Last(last=2) and phase.averaging == "none"
    assert phase.planned_epochs == phase.fewest_epochs == 3
