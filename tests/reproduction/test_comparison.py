"""What counts as reproduced, and how it is said."""

from dataclasses import replace

import pytest

from saltseg.project.run_files import environment
from saltseg.reproduction.comparison import ComparedMetric, ComparedOutput, Comparison
from saltseg.reproduction.environments import Pairs, differing, differing_here
from saltseg.reproduction.records import RunRecord
from saltseg.reproduction.reports import reproduction_report

SAME = ComparedOutput("submit", "data/submit", "a" * 32, "a" * 32)
OTHER = ComparedOutput("submit", "data/submit", "a" * 32, "b" * 32, ("submission.csv",))
RECORD = RunRecord("HEAD", "c" * 40, {})
PARAMS = b"runtime: {accelerator: auto}\n"


def result(output: ComparedOutput, new: float, elsewhere: bool | None) -> Comparison:
    """Return a comparison of one output and one metric, recorded as 0.8."""
    differing_cpu: Pairs = {"cpu": ("one", "other")}
    pairs = None if elsewhere is None else differing_cpu if elsewhere else {}
    return Comparison([output], [ComparedMetric("submit.score", 0.8, new)], pairs)


@pytest.mark.parametrize(
    ("output", "new", "elsewhere", "passes"),
    [
        (SAME, 0.8, False, True),
        (OTHER, 0.8, False, False),
        (OTHER, 0.8, None, False),
        (OTHER, 0.81, True, True),
        (OTHER, 0.83, True, False),
        (SAME, 0.8, None, True),
    ],
)
def test_only_another_environment_lets_bytes_differ(
    output: ComparedOutput, new: float, elsewhere: bool | None, passes: bool
) -> None:
    assert result(output, new, elsewhere).passes(0.02) is passes


def test_the_tolerance_is_a_share_of_large_numbers_and_a_metric_must_be_there() -> None:
    assert ComparedMetric("x", 1000.0, 1019.0).within(0.02)
    assert not ComparedMetric("x", 1000.0, 1021.0).within(0.02)
    assert not ComparedMetric("x", None, 1.0).within(1.0)
    assert not ComparedMetric("x", 1.0, float("nan")).within(1.0)


def test_the_report_names_what_differs() -> None:
    said = reproduction_report(RECORD, result(OTHER, 0.83, True), 0.02)
    assert "data/submit: differs in submission.csv" in said
    assert "submit.score 0.8 0.83 +0.03 BEYOND" in " ".join(said.split())
    assert "cpu one other" in " ".join(said.split())
    assert (
        said.splitlines()[-1]
        == "HEAD (commit cccccccccccc): not reproduced; different: data/submit"
    )
    within = reproduction_report(RECORD, result(OTHER, 0.81, True), 0.02)
    assert within.splitlines()[-1].endswith("in another environment; all metrics are within 0.02")


def test_this_environment_differs_in_nothing_and_another_in_what_it_says() -> None:
    here = environment({"runtime": {"accelerator": "auto"}})
    record = replace(RECORD, files={"params.yaml": PARAMS}, environment=here)
    assert differing_here(record) == {}
    packages = here["packages"] | {"numpy": "1.0"}
    other = here | {"cpu": "Z80", "platform": "CP/M", "packages": packages}
    pairs = differing_here(replace(record, environment=other))
    assert pairs is not None and set(pairs) == {"cpu", "packages.numpy"}
    assert pairs["cpu"] == ("Z80", here["cpu"])
    assert differing_here(RECORD) is None


def test_items_of_a_cluster_differ_where_their_nodes_processor_does() -> None:
    record = replace(RECORD, files={"params.yaml": PARAMS})
    here = environment(record.params)
    same = {"host": "near", "cpu": here["cpu"], "gpu": ""}
    nodes = {"train@0": same, "train@1": same | {"host": "far", "cpu": "another"}}
    pairs = differing_here(replace(record, environment=here, nodes=nodes))
    assert pairs == {"cpu of train@1, on far": ("another", here["cpu"])}


def test_parameters_are_compared_by_dotted_path() -> None:
    first = {"base": {"seed": 1}, "folds": [0, 1], "gone": 1}
    second = {"base": {"seed": 2}, "folds": [0, 1], "new": "x"}
    assert differing(first, second) == {
        "base.seed": ("1", "2"), "gone": ("1", None), "new": (None, "x"),
    }  # fmt: skip


def test_phases_as_they_were_written_before_are_compared_too() -> None:
    old = {"phases": [{"data": "train", "schedule": "cosine", "epochs": 3}]}
    new = {"phases": [{"data": "train", "schedule": {"cosine": {"epochs": 3}}}]}
    assert differing(old, new) == {
        "phases.0.schedule": ("cosine", None),
        "phases.0.epochs": ("3", None),
        "phases.0.schedule.cosine.epochs": (None, "3"),
    }
