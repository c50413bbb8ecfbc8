"""What an ablation runs, from the project's own recipes."""

import re
import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from saltseg.ablation.overrides import overrides_of, read_base, split_values
from saltseg.ablation.plan import Request, make_plan
from saltseg.ablation.trials import dvc_options, find_outcome, run_in_turn
from saltseg.cli import app
from saltseg.config.sections import CHANGES_NOTHING
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from tests.conftest import PROJECT
from tests.helpers.checkout import Checkout

FLIP = "snapshot_ensemble.flip"
OWN = ["ingest.source=own", "ingest.raw_dir=raw"]


def test_each_value_is_a_variant_and_none_are_combined(checkout: Checkout) -> None:
    vary = [f"{FLIP}=false", "threshold_search.count=21,41"]
    plan = make_plan(checkout.root, Request("subset", vary, seeds=[3, 4], folds=[1]))
    assert plan.changes == [
        f"{FLIP}=false",
        "threshold_search.count=21",
        "threshold_search.count=41",
    ]
    assert [(each.change, each.seed) for each in plan.trials] == [
        (change, seed) for seed in (3, 4) for change in ["", *plan.changes]
    ]
    for trial in plan.trials:
        assert trial.params.base.seed == trial.seed
        assert trial.params.train_per_fold.folds == [1]
        assert trial.params.survey.train == 60
        assert trial.params.snapshot_ensemble.flip == (trial.change != plan.changes[0])
    assert len({trial.name for trial in plan.trials}) == 8
    assert dvc_options(plan.request, plan.trials[1])[:6] == [
        "-S",
        "recipe=subset",
        "-S",
        "++snapshot_ensemble.predict_test=false",
        "-S",
        "base.seed=3",
    ]


def test_locked_folds_are_left_out(checkout: Checkout) -> None:
    plan = make_plan(
        checkout.root,
        Request("cpu", [f"{FLIP}=false"], overrides=["train_per_fold.folds=[0,1,2,3]"]),
    )
    assert plan.folds == [0, 1]
    assert all(trial.params.train_per_fold.folds == [0, 1] for trial in plan.trials)
    assert all(trial.params.fold_split.locked == [2, 3, 4] for trial in plan.trials)


def test_a_recipe_without_its_lock_may_be_dealt_out_again(checkout: Checkout) -> None:
    overrides = ["fold_split.seed=1", "fold_split.locked=[]"]
    plan = make_plan(checkout.root, Request("cpu", [f"{FLIP}=false"], overrides=overrides))
    assert plan.folds == [0, 1] and plan.trials[0].params.fold_split.seed == 1


def test_trials_predict_no_test_crops_unless_asked(checkout: Checkout) -> None:
    predict = "snapshot_ensemble.predict_test"
    request = Request("subset", [f"{FLIP}=false"])
    plan, asked = (
        make_plan(checkout.root, each)
        for each in (request, replace(request, overrides=[f"++{predict}=true"]))
    )
    assert not any(trial.params.snapshot_ensemble.predict_test for trial in plan.trials)
    assert all(trial.params.snapshot_ensemble.predict_test for trial in asked.trials)
    assert [each.digest for each in plan.trials] == [each.digest for each in asked.trials]
    with pytest.raises(InputError, match="give another"):
        make_plan(checkout.root, Request("subset", [f"++{predict}=true"]))


def test_variants_of_the_base_s_cost_have_other_epochs(checkout: Checkout) -> None:
    epochs = "train_per_fold.phases.2.schedule.cosine.epochs"
    vary = ["models.class_unet.filters=5", f"{FLIP}=false"]
    shared = [f"{epochs}=40", "pseudolabel.enabled=false"]
    asked = Request("subset", vary, overrides=shared, seeds=[3, 4])
    plain = make_plan(checkout.root, asked)
    matched = make_plan(checkout.root, replace(asked, match="cost"))
    assert matched.changes == plain.changes == vary
    wider = [trial for trial in matched.trials if trial.change == vary[0]]
    assert [trial.seed for trial in wider] == [3, 4]
    assert wider[0].epochs == wider[1].epochs != ()
    for trial in wider:
        assert "models.class_unet.filters=5" in trial.overrides
        assert trial.params.train_per_fold.phases[2].planned_epochs < 40
    same = [trial.digest for trial in plain.trials if trial.change != vary[0]]
    assert [trial.digest for trial in matched.trials if trial.change != vary[0]] == same
    assert not {trial.digest for trial in wider} & {trial.digest for trial in plain.trials}


def test_what_the_base_has_already_is_left_out(checkout: Checkout) -> None:
    vary = [f"{FLIP}=true,false,False", "submit.examples=5", "threshold_search.count=80,81"]
    plan = make_plan(checkout.root, Request("demo", vary))
    assert plan.changes == [f"{FLIP}=false", "threshold_search.count=80"]
    assert plan.seeds == [2018] and plan.folds == [0, 1]
    with pytest.raises(InputError, match=r"demo has .*flip=true already; give another"):
        make_plan(checkout.root, Request("demo", [f"{FLIP}=true"]))


def test_changes_that_are_joined_make_one_variant(checkout: Checkout) -> None:
    change = "~train_per_fold.phases.2.loss.lovasz & +train_per_fold.phases.2.loss.bce=1.0,0.5"
    plan = make_plan(checkout.root, Request("demo", [change]))
    assert [each.params.train_per_fold.phases[2].loss for each in plan.trials] == [
        {"lovasz": 1.0},
        {"bce": 1.0},
        {"bce": 0.5},
    ]


def test_overrides_are_of_base_and_variants(checkout: Checkout) -> None:
    request = Request("demo", [f"{FLIP}=true"], overrides=[f"{FLIP}=false", "survey.train=99"])
    base, variant = make_plan(checkout.root, request).trials
    assert not base.params.snapshot_ensemble.flip and variant.params.snapshot_ensemble.flip
    assert base.params.survey.train == variant.params.survey.train == 99


def test_the_present_parameters_may_be_the_base(checkout: Checkout) -> None:
    path = checkout.root / "params.yaml"
    path.write_text(path.read_text().replace("count: 81", "count: 33"))
    plan = make_plan(checkout.root, Request("params.yaml", [f"{FLIP}=false"]))
    assert [trial.params.threshold_search.count for trial in plan.trials] == [33, 33]
    assert dvc_options(plan.request, plan.trials[0])[0] == "--no-hydra"
    assert path.read_text().count("count: 33") == 1


def test_an_experiment_s_name_stands_for_all_that_determines_its_scores(checkout: Checkout) -> None:
    def name(*overrides: str) -> str:
        request = Request("demo", [f"{FLIP}=false"], overrides=overrides)
        return make_plan(checkout.root, request).trials[1].name

    first = name()
    assert first.startswith("ablate-flip-false-seed2018-")
    checkout.succeed("git", "check-ref-format", f"refs/exps/{first}")
    (checkout.root / "README.md").write_text("New words.\n")
    checkout.commit("A document")
    assert name() == name("submit.examples=3") == first
    assert name(*(f"runtime.{each}=3" for each in CHANGES_NOTHING)) == first
    assert name("runtime.threads=3") != first
    (checkout.root / "src/code.py").write_text("2\n")
    changed = name()
    checkout.commit("Code")
    assert len({first, changed, name()}) == 3


def test_raw_data_are_part_of_an_experiment_s_name(checkout: Checkout, tmp_path: Path) -> None:
    raw = tmp_path / "outside"
    raw.mkdir()
    overrides = ["ingest.source=tgs", f"ingest.raw_dir={raw}"]
    names = []
    for content in ("one", "two", "one"):
        (raw / "train.csv").write_text(content)
        plan = make_plan(checkout.root, Request("demo", [f"{FLIP}=false"], overrides=overrides))
        names.append(plan.trials[1].name)
    assert names[0] == names[2] != names[1]


def test_no_trial_runs_after_the_code_or_its_recipe_has_changed(checkout: Checkout) -> None:
    plan = make_plan(checkout.root, Request("demo", [f"{FLIP}=false"]))
    trial = plan.trials[1]
    (checkout.root / "README.md").write_text("New words.\n")
    plan.composer.check_unchanged(trial)
    for name, old, new in [("src/code.py", "1", "2"), ("conf/recipe/demo.yaml", ": 3,", ": 2,")]:
        path = checkout.root / name
        before = path.read_text()
        path.write_text(before.replace(old, new))
        with pytest.raises(InputError, match="have changed since the ablation began"):
            run_in_turn(checkout.root, plan, [trial])
        path.write_text(before)
    plan.composer.check_unchanged(trial)


def test_an_experiment_whose_scores_are_gone_is_told_of(checkout: Checkout) -> None:
    checkout.succeed("dvc", "init", "--quiet")
    checkout.commit("DVC")
    plan = make_plan(checkout.root, Request("demo", [f"{FLIP}=false"]))
    name = plan.trials[1].name
    commit = checkout.succeed("git", "rev-parse", "HEAD").strip()
    reference = f"refs/exps/{commit[:2]}/{commit[2:]}/{name}"
    checkout.succeed("git", "update-ref", reference, commit)
    with pytest.raises(InputError) as raised:
        find_outcome(checkout.root, plan.trials[1])
    said = str(raised.value)
    assert said.startswith(f"experiment {name}: ") and "neither in DVC's cache" in said
    assert f"'dvc exp remove {name}'" in said


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("demmo", [f"{FLIP}=false"]), "no demmo.yaml; use one of"),
        (
            Request("demo", ["snapshot_ensemble.flop=1"]),
            "snapshot_ensemble.flop: there is no such parameter; did you mean ",
        ),
        (Request("demo", [f"{FLIP}=maybe"]), "snapshot_ensemble.flip: 'maybe' is not allowed"),
        (Request("demo", ["~train_per_fold.phases.2"]), "conf: "),
        (Request("demo", [FLIP]), f"{FLIP}: is not an override; write KEY=VALUE"),
        (
            Request("demo", [f"{FLIP}=false"], folds=[2]),
            "train_per_fold.folds: 2 is not one of 0, 1",
        ),
        (Request("demo", [f"{FLIP}=false"], seeds=[1, 1]), "has a duplicate"),
        (Request("demo", ["base.seed=3"]), "give seeds and folds with --seeds and --folds"),
        (Request("demo", ["train_per_fold.folds=[1]"]), "with --seeds and --folds"),
        (Request("demo", ["survey.train=99"]), "changes the crops"),
        (Request("demo", ["fold_split.strategy=depth"], folds=[0]), "compare all: --folds 0,1"),
        (Request("cpu", [f"{FLIP}=false"], folds=[1, 2]), "--folds: 2 is locked"),
        (
            Request("cpu", [f"{FLIP}=false"], overrides=["train_per_fold.folds=[2,3]"]),
            "cpu: trains only locked folds (fold_split.locked); explore on others: --folds 0,1",
        ),
        (Request("cpu", ["fold_split.seed=1"]), "fold_split.seed=1: changes which crops are in"),
        (Request("cpu", ["fold_split.locked=[4]"]), "changes which crops are in the locked folds"),
        (
            Request("cpu", [f"{FLIP}=false"], overrides=["fold_split.seed=1"]),
            "-S fold_split.seed=1: deals the crops out again, so that the locked folds",
        ),
        (
            Request("cpu", [f"{FLIP}=false"], overrides=["coverage_stratify.min_margin=0.5"]),
            "-S coverage_stratify.min_margin=0.5: deals the crops out again",
        ),
        (
            Request("cpu", [f"{FLIP}=false"], overrides=OWN, seeds=[2018, 1]),
            "base.seed=1: draws other crops from your own data, so that the locked folds",
        ),
        (
            Request("cpu", [f"{FLIP}=false"], overrides=[*OWN, "base.seed=3"]),
            "base.seed=3: draws other crops from your own data",
        ),
        (Request("demo", ["fold_split.n_folds=4"]), "are not scored on the same crops"),
        (Request("demo", ["survey.style=wide"]), "changes the crops"),
        (
            Request("subset", ["models.class_unet.filters=64"], match="cost"),
            "--vary models.class_unet.filters=64: --match cost: whole epochs cost ",
        ),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_runs(
    checkout: Checkout, request_: Request, said: str
) -> None:
    with pytest.raises(InputError) as raised:
        make_plan(checkout.root, request_)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_survey_crops_to_learn_from_first_leave_the_scored_ones_alone(checkout: Checkout) -> None:
    request = Request("demo", ["survey.pretraining=99"])
    assert make_plan(checkout.root, request).changes == ["survey.pretraining=99"]


def test_strategies_of_folds_are_compared_over_all_folds(checkout: Checkout) -> None:
    plan = make_plan(checkout.root, Request("demo", ["fold_split.strategy=coverage"]))
    assert plan.changes == ["fold_split.strategy=coverage"] and plan.folds == [0, 1]


def test_wrong_usage_is_code_two_and_a_wrong_place_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for wrong in (["demo"], ["demo", "--vary", "a=1", "--folds", "x"]):
        assert CliRunner().invoke(app, ["ablate", *wrong]).exit_code == 2
    done = CliRunner().invoke(app, ["ablate", "demo", "--vary", "a=1"])
    assert done.exit_code == 1 and "has no dvc.yaml" in done.output


def test_the_variants_of_the_page_of_results_can_be_run() -> None:
    page = (PROJECT / "docs/results/ablations.md").read_text()
    _, *parts = re.split(r"```sh\n(?=saltseg ablate )", page)
    assert len(parts) == 4 and len(_variants(parts[0])) > 10
    assert all(_variants(part) for part in parts)
    for part in parts:
        words = shlex.split(part.partition("--vary")[0].replace("\\\n", ""))
        base = words[2]
        shared = [value for option, value in pairwise(words) if option == "-S"]
        for change in _variants(part):
            read_base(Layout(PROJECT), base, shared + overrides_of(change))


def _variants(part: str) -> list[str]:
    """The changes quoted in the rows below one command."""
    rows = [line for line in part.splitlines() if line.startswith("| ")]
    spans = [span for line in rows for span in re.findall(r"`([^`]+)`", line) if "=" in span]
    return [change for span in spans for change in split_values(span)]
