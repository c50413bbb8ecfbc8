"""Successive halving: the rungs of real recipes, and the report of experiments made by hand."""

import io
import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from saltseg.ablation import HalvingReport, Request, ablate
from saltseg.ablation.halving import plan_rungs, told_costs
from saltseg.ablation.plan import Plan, Trial, make_plan
from saltseg.cli import app
from saltseg.learning.costs import petaflop, recipe_costs
from saltseg.plumbing.errors import InputError
from tests.helpers.checkout import Checkout

PHASE = "train_per_fold.phases.{}.schedule.cosine.epochs={}"
LONG = ["pseudolabel.enabled=false", PHASE.format(1, 16), PHASE.format(2, 16)]
COUNT = "threshold_search.count"
THREE = Request("subset", [f"{COUNT}=21,31,41"], LONG, seeds=[3], halving=True)
WIDER = "models.class_unet.filters=6"


def operations(trial: Trial, plan: Plan) -> int:
    costs = recipe_costs(trial.params, plan.crops.train, plan.crops.pseudolabels)
    return sum(cost.training for cost in costs)


def test_each_rung_has_half_the_variants_at_twice_the_cost(checkout: Checkout) -> None:
    plan = make_plan(checkout.root, THREE)
    rungs = plan_rungs(plan)
    assert [(rung.size, rung.share) for rung in rungs] == [
        (3, Fraction(1, 4)),
        (2, Fraction(1, 2)),
        (1, Fraction(1)),
    ]
    for rung in rungs:
        assert [trial.change for trial in rung.trials] == ["", *plan.changes]
        for trial in rung.trials:
            epochs = [phase.planned_epochs for phase in trial.params.train_per_fold.phases[1:]]
            assert epochs == [16 * rung.share, 16 * rung.share]
    assert rungs[-1].trials == plan.trials
    one, said = operations(plan.trials[0], plan), told_costs(plan, rungs)
    assert said == (
        "halving: of 3 variants, 3 at 1/4, 2 at 1/2 and 1 at all of the epochs, each time with the "
        f"base: 9 trainings, {petaflop(one * (4 / 4 + 3 / 2 + 2))} PFLOP at most; all in full would"
        f" be 4 trainings, {petaflop(4 * one)} PFLOP"
    )


@pytest.mark.parametrize("match", ["cost", None])
def test_dearer_variants_get_the_base_s_cost_or_their_own_share(
    checkout: Checkout, match: Literal["cost"] | None
) -> None:
    asked = replace(THREE, vary=[WIDER, f"{COUNT}=21"], match=match)
    plan = make_plan(checkout.root, asked)
    first, last = plan_rungs(plan)
    assert (first.size, first.share, last.size) == (2, Fraction(1, 2), 1)
    base, wide, _ = (operations(trial, plan) for trial in first.trials)
    full = operations(make_plan(checkout.root, replace(asked, match=None)).trials[1], plan)
    assert wide == pytest.approx(base if match else full / 2, rel=0.1)
    assert full / 2 > 1.5 * base


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ([PHASE.format(1, 2), PHASE.format(2, 2)], "subset: whole epochs cost "),
        (["train_per_fold.phases.2.keep={last: 8}"], "more than the phase's 4 epochs"),
    ],
)
def test_a_rung_that_the_epochs_do_not_allow_is_left_out(
    checkout: Checkout, capsys: pytest.CaptureFixture[str], overrides: list[str], reason: str
) -> None:
    asked = replace(THREE, overrides=[*LONG, *overrides])
    rungs = plan_rungs(make_plan(checkout.root, asked))
    assert [(rung.size, rung.share) for rung in rungs] == [(3, Fraction(1, 2)), (2, Fraction(1))]
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("halving: no rung at 1/4 of the epochs: ") and reason in said


def test_what_cannot_be_halved_is_one_line(checkout: Checkout) -> None:
    for vary, said in (
        ([f"{COUNT}=21"], f"--halving: {COUNT}=21 alone leaves nothing to choose; give more"),
        ([f"{COUNT}=21,41"], "--halving: no rung at 1/2 of the epochs: subset: whole epochs cost"),
    ):
        odd = ["pseudolabel.enabled=false", PHASE.format(1, 1), PHASE.format(2, 1)]
        plan = make_plan(checkout.root, replace(THREE, vary=vary, overrides=odd))
        with pytest.raises(InputError) as raised:
            plan_rungs(plan)
        assert str(raised.value).startswith(said) and "\n" not in str(raised.value)


def test_wrong_usage_is_code_two() -> None:
    done = CliRunner().invoke(app, ["ablate", "demo", "--vary", "a=1,2", "--halving=3"])
    assert done.exit_code == 2


# Experiments made by hand: commits that hold scores, as DVC's would.

GAIN = {21: 0.03, 31: -0.2, 41: 0.04}
"""By how much each variant is better in full; at fewer epochs, by less."""
SEEDS = replace(THREE, seeds=[3, 4])


def table_of(trial: Trial) -> pd.DataFrame:
    """Make scores of eight crops, which the trial's parameters determine."""
    epochs = trial.params.train_per_fold.phases[2].planned_epochs
    gain = GAIN.get(trial.params.threshold_search.count, 0.0) * epochs / 16
    crops = np.arange(8)
    noise = np.random.default_rng(trial.seed).random(8) / 10
    return pd.DataFrame(
        {
            "id": [f"crop{number}" for number in crops],
            "fold": crops % 2,
            "mosaic": [f"mosaic{number // 2}" for number in crops],
            "after": 0.6 - gain,
            "over_thresholds": 0.5 + noise + gain + crops * gain / 10,
        }
    )


class Runner:
    """Leaves experiments without DVC's help, and counts them; stops before trial `stop`."""

    def __init__(self, stop: int = 1000) -> None:
        self.ran: list[str] = []
        self.stop = stop

    def __call__(self, root: Path, plan: Plan, trials: Sequence[Trial]) -> None:
        for trial in trials:
            if len(self.ran) == self.stop:
                raise InputError("stopped")
            self.ran.append(trial.name)
            _leave(Checkout(root), trial)


def _leave(checkout: Checkout, trial: Trial) -> None:
    content = io.BytesIO()
    table_of(trial).to_parquet(content)
    data = {"data/postprocess-connected-components/out_of_fold_scores.parquet": content.getvalue()}
    environment = checkout.environment() | {"GIT_INDEX_FILE": str(checkout.root / ".git/other")}

    def git(*arguments: str, given: bytes = b"") -> str:
        command = ["git", "-C", str(checkout.root), *arguments]
        done = subprocess.run(
            command, input=given, env=environment, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    head = git("rev-parse", "HEAD")
    git("read-tree", "HEAD")
    for path, each in data.items():
        blob = git("hash-object", "-w", "--stdin", given=each)
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    identity = ("-c", "user.name=saltseg", "-c", "user.email=saltseg@example.org")
    commit = git(*identity, "commit-tree", git("write-tree"), "-p", head, "-m", trial.name)
    git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{trial.name}", commit)


@pytest.fixture
def repository(checkout: Checkout) -> Checkout:
    """A repository of DVC, whose pipeline leaves the scores to git."""
    checkout.succeed("dvc", "init", "--quiet")
    (checkout.root / "dvc.yaml").write_text(
        "stages: {pseudolabel: {cmd: 'true'}, train-per-fold: {cmd: 'true'}}\n"
    )
    (checkout.root / "dvc.lock").write_text("schema: '2.0'\n")
    checkout.commit("DVC")
    return checkout


def mean(trial: Trial) -> float:
    return float(table_of(trial)["over_thresholds"].mean())


def test_the_better_half_goes_on_and_an_interrupted_halving_resumes(
    repository: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Runner(stop=11)
    with pytest.raises(InputError, match="stopped"):
        ablate(repository.root, SEEDS, first)
    rest = Runner()
    report = ablate(repository.root, SEEDS, rest)
    assert isinstance(report, HalvingReport)
    ran = first.ran + rest.ran
    assert len(ran) == len({*ran}) == 18
    assert "18 trainings" in capsys.readouterr().err
    kept = [[int(each.rpartition("=")[2]) for each in rung.plan.changes] for rung in report.rungs]
    assert kept == [[21, 31, 41], [21, 41], [41]]
    for rung in report.rungs:
        base, *variants = rung.rows
        trials = {(each.change, each.seed): each for each in rung.plan.trials}
        for row in variants:
            assert row.over_thresholds.effect is not None
            pairs = [(trials[row.change, seed], trials["", seed]) for seed in (3, 4)]
            told = row.over_thresholds.effect.difference
            assert told == pytest.approx(sum(mean(a) - mean(b) for a, b in pairs) / 2)
            assert row.over_thresholds.score == pytest.approx(base.over_thresholds.score + told)
    _told(report)
    _recorded(report)


def _told(report: HalvingReport) -> None:
    said = report.markdown()
    heads = [line.strip("*") for line in said.splitlines() if line.startswith("**")]
    assert heads == [
        "Rung 1 of 3: 3 variants at 1/4 of the epochs",
        "Rung 2 of 3: 2 variants at 1/2 of the epochs",
        "Rung 3 of 3: 1 variant in full",
    ]
    assert said.count(f"| `{COUNT}=41` |") == 3 and said.count(f"| `{COUNT}=31` |") == 1
    assert said.count("| subset, the base |") == 3
    assert "Epochs: train_per_fold.phases.1: 4, train_per_fold.phases.2: 4 (subset, the " in said
    assert said.count("Epochs: ") == 2  # none had to change in full
    assert "survivors were chosen by these scores" in said
    assert said.count("widened for 3 variants (Bonferroni)") == 1


def _recorded(report: HalvingReport) -> None:
    content = json.loads(json.dumps(report.content()))
    assert [(each["share"], len(each["rows"])) for each in content["rungs"]] == [
        (0.25, 4),
        (0.5, 3),
        (1.0, 2),
    ]
    names = {
        name for each in content["rungs"] for row in each["rows"] for name in row["experiments"]
    }
    assert len(names) == 18
    assert report.params()["halving"] == "3 at 1/4, 2 at 1/2, 1 at 1"
    assert f"rung3.{COUNT}_41.difference" in report.metrics()


def test_trainings_that_few_epochs_make_equal_run_once(repository: Checkout) -> None:
    change = "train_per_fold.phases.2.schedule.cosine.epochs"
    asked = replace(THREE, vary=[f"{change}=17,18"], seeds=[3])
    runner = Runner()
    report = ablate(repository.root, asked, runner)
    assert isinstance(report, HalvingReport)
    first, last = report.rungs
    epochs = [trial.params.train_per_fold.phases[2].planned_epochs for trial in first.plan.trials]
    assert len(first.plan.changes) == 2 and len({*epochs}) < 3
    assert len(runner.ran) == len({*epochs}) + 2
    assert len(last.plan.changes) == 1
