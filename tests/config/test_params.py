from pathlib import Path
from typing import Any

import pytest
import yaml

from saltseg.config.params import load_params, parse_params
from saltseg.plumbing.errors import InputError
from tests.conftest import PROJECT, shrunk_content
from tests.helpers.phases import write_schedule

PHASE = shrunk_content()["pseudolabel"]["phases"][0]


def scheduled(name: str, **settings: float) -> dict[str, Any]:
    """Return the phase with another schedule."""
    return {**PHASE, "schedule": write_schedule(name, **settings)}


def mixed(share: float) -> dict[str, Any]:
    return {"mixed": {"share": share}}


def test_the_real_file_is_valid() -> None:
    params = load_params(PROJECT / "params.yaml")
    assert params.train_per_fold.members[0] in params.models


def change(content: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    *parents, last = field.split(".")
    section = content
    for name in parents:
        section = section[name]
    section[last] = value
    return content


FOLDS = {"n_folds": 2, "strategy": "coverage", "seed": 1}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("fold_split.strategy", "random", "'random' is not allowed: Input should be 'coverage'"),
        ("fold_split.n_folds", 1, "greater than or equal to 2"),
        (
            "fold_split.n_folds",
            10_000_000,
            "10000000 is not allowed: Input should be less than or eq",
        ),
        ("fold_split.n_folds", 101, "fold_split.n_folds: 101 is not allowed"),
        ("fold_split.n_folds", 25, "n_folds: 25 folds are more than the 24 crops of survey.train"),
        ("fold_split.locked", [0], "fold_split.locked: needs a seed, so that the folds stay"),
        (
            "fold_split",
            FOLDS | {"locked": [2]},
            "fold_split.locked: 2 is not one of 0, 1",
        ),
        ("fold_split", FOLDS | {"locked": [0, 1]}, "locked: all folds are; leave one to explore"),
        ("training.inner_folds", 10**9, "inner_folds: 1000000000 is not allowed"),
        ("survey.train", 10**12, "survey.train: 1000000000000 is not allowed"),
        ("survey.pretraining", 10**12, "survey.pretraining: 1000000000000 is not allowed"),
        ("threshold_search.count", 10**9, "threshold_search.count: 1000000000 is not allowed"),
        ("threshold_search.bootstrap", 10**9, "bootstrap: 1000000000 is not allowed"),
        ("runtime.workers", 10**6, "runtime.workers: 1000000 is not allowed"),
        ("runtime.threads", 10**6, "runtime.threads: 1000000 is not allowed"),
        ("training.batch_size", 10**9, "training.batch_size: 1000000000 is not allowed"),
        ("pseudolabel.rounds", 10**9, "pseudolabel.rounds: 1000000000 is not allowed"),
        ("snapshot_ensemble.shifts", [101], "snapshot_ensemble.shifts.0: 101 is not allowed"),
        ("submit.examples", 10**9, "submit.examples: 1000000000 is not allowed"),
        ("pseudolabel.phases", [{**PHASE, "epochs": 10**9}], "phases.0.epochs: there is no such"),
        ("pseudolabel.phases", [{**PHASE, "cycles": 10**9}], "phases.0.cycles: there is no such"),
        ("ingest.raw_dir", "~/data", "ingest.raw_dir: '~/data': DVC knows no ~; write the home"),
        ("ingest.raw_dir", "", "ingest.raw_dir: '' is not a folder's name"),
        ("ingest.raw_dir", "a\nb", "ingest.raw_dir: 'a\\nb' is not a folder's name"),
        ("fold_split.n_folds", "5", "'5' is not allowed: Input should be a valid integer"),
        ("training.leave_ou", ["tiny"], "did you mean training.leave_out?"),
        (
            "ingest.rawdir",
            "x",
            "there is no such parameter; did you mean ingest.raw_dir?",
        ),
        ("models.lite0.architecture", "net", "models.lite0"),
        ("models.lite0.input.fit", "crop", "models.lite0.input.fit: 'crop' is not allowed"),
        ("models.lite0.input.size", 96, "models.lite0.input.size: 96 px is less than the 101"),
        ("models.lite0.stem.pooling", "all", "models.lite0.stem.pooling: 'all' is not allowed"),
        ("models.class_unet.blocks", "dense", "models.class_unet.blocks: 'dense'"),
        ("survey.pretraining", -1, "survey.pretraining: -1 is not allowed"),
        (
            "pseudolabel.phases",
            [PHASE, {**PHASE, "data": "survey"}],
            "pseudolabel.phases.1.data: survey has no crops; set survey.pretraining",
        ),
        (
            "train_per_fold.phases",
            [{**PHASE, "data": "survey"}],
            "train_per_fold.phases.0.data: survey has no crops; set survey.pretraining",
        ),
        (
            "pseudolabel.phases",
            [PHASE, {**PHASE, "data": mixed(0.5)}],
            "pseudolabel.phases.1.data: mixed needs the labels of an earlier round; set",
        ),
        (
            "pseudolabel.phases",
            [PHASE, {**PHASE, "data": "pooled"}],
            "pseudolabel.phases.1.data: pooled needs the labels of an earlier round; set",
        ),
        ("pseudolabel.rounds", 2, "pseudolabel.rounds: 2 needs a phase with data: pseudolabels"),
        ("pseudolabel.rounds", 0, "pseudolabel.rounds: 0 is not allowed"),
        (
            "pseudolabel.phases",
            [{**PHASE, "keep": "none"}],
            "pseudolabel.phases: none that runs in the first round keeps",
        ),
        (
            "train_per_fold.phases",
            [{**PHASE, "data": mixed(0.05)}],
            "train_per_fold.phases.0.data.mixed.share: 0.05 is 0 of the 8 crops of a batch",
        ),
        ("train_per_fold.members", ["none_such"], "'none_such' is not one of lite0, class_unet"),
        ("train_per_fold.folds", [0, 2], "train_per_fold.folds: 2 is not one of 0, 1"),
        ("train_per_fold.folds", [0, 0], "lists one twice"),
        ("train_per_fold.folds", [0, -1], "folds.1: -1 is not allowed: write the number of a fold"),
        ("train_per_fold.folds", ["all"], "train_per_fold.folds: all holds no crop out to choose"),
        ("pseudolabel.teacher", "none_such", "pseudolabel.teacher"),
        (
            "snapshot_ensemble.member_weights",
            {"lite0": 1.0},
            "member_weights: 'lite0' is not one of",
        ),
        ("snapshot_ensemble.outside", ["class_unet"], "'class_unet' is a member that is trained"),
        ("snapshot_ensemble.outside", ["a", "a"], "snapshot_ensemble.outside: ['a', 'a'] lists"),
        ("snapshot_ensemble.greedy_weights", True, "true, but there is a single member"),
        ("snapshot_ensemble.outside", ["../a"], "outside.0: '../a' is not allowed"),
        (
            "pseudolabel.phases",
            [{**PHASE, "schedule": "linear"}],
            "phases.0.schedule: 'linear' is not allowed: write one of {constant: ...}",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "schedule": {"linear": {}}}],
            "phases.0.schedule: {'linear': {}} is not allowed: write one of {constant: ...}",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "schedule": write_schedule("cosine") | write_schedule("constant")}],
            "is not allowed: write one of {constant: ...}",
        ),
        (
            "pseudolabel.phases",
            [scheduled("cosine", patience=3)],
            "phases.0.schedule.cosine.patience: there is no such parameter; remove it",
        ),
        (
            "pseudolabel.phases",
            [scheduled("cosine", final_learning_rate=0.1)],
            "phases.0.schedule.cosine.final_learning_rate: 0.1 equals learning_rate; write",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "data": "all"}],
            "phases.0.data: 'all' is not allowed: write train, pseudolabels, pooled, survey or {m",
        ),
        ("pseudolabel.phases", [{**PHASE, "keep": {"last": 0}}], "phases.0.keep.last: 0 is not"),
        (
            "pseudolabel.phases",
            [{**PHASE, "keep": {"last": 7}}],
            "phases.0.keep: {last: 7} is more than the phase's 1 epochs",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "averaging": {"ema": {"decay": 1.0}}}],
            "phases.0.averaging.ema.decay: 1.0 is not allowed",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "averaging": {"ema": {}}, "keep": "none"}],
            "phases.0.averaging: ema has no effect with keep: none",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "keep": {"last": 1}, "averaging": "swa"}],
            "phases.0.averaging: swa averages the ends of cycles",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "keep": {"best": 2}}],
            "phases.0.keep: {best: 2} is more than the 1 epochs after which the phase may end",
        ),
        (
            "pseudolabel.phases",
            [
                {
                    **scheduled("plateau", epochs=9, patience=1, stop_patience=2),
                    "keep": {"best": 4},
                }
            ],
            "phases.0.keep: {best: 4} is more than the 3 epochs after which the phase may end",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "keep": {"best": 1, "last": 1}}],
            "phases.0.keep: {'best': 1, 'last': 1} is not allowed: write none, cycle_ends, {last:",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "keep": {"best": 1}, "averaging": "swa"}],
            "phases.0.averaging: swa is not allowed with a plateau or keep: {best: N}",
        ),
        (
            "pseudolabel.phases",
            [scheduled("plateau", factor=1.0)],
            "phases.0.schedule.plateau.factor: 1.0 is not allowed",
        ),
        (
            "pseudolabel.phases",
            [scheduled("plateau", cycles=2)],
            "phases.0.schedule.plateau.cycles: there is no such parameter; remove it",
        ),
        (
            "pseudolabel.phases",
            [{**scheduled("plateau"), "keep": {"last": 1}}],
            "phases.0.keep: {last: 1} is not allowed with a plateau, which restores its best",
        ),
        (
            "pseudolabel.phases",
            [{**scheduled("plateau"), "averaging": "swa"}],
            "phases.0.averaging: swa is not allowed with a plateau",
        ),
        (
            "pseudolabel.phases",
            [scheduled("plateau", patience=20)],
            "phases.0.schedule.plateau.patience: 20 is not below stop_patience, 20, so the",
        ),
        (
            "pseudolabel.phases",
            [scheduled("one_cycle", learning_rate=0.01, final_learning_rate=0.02)],
            "phases.0.schedule.one_cycle.final_learning_rate: 0.02 is above learning_rate, 0.01;",
        ),
        (
            "train_per_fold.phases",
            [{**PHASE, "data": "pooled"}, scheduled("plateau")],
            "train_per_fold.phases.1.schedule: plateau: the teacher would learn from the crops",
        ),
        (
            "train_per_fold.phases",
            [{**PHASE, "data": "pooled"}, {**PHASE, "keep": {"best": 1}}],
            "train_per_fold.phases.1.keep: {best: 1}: the teacher would learn from the crops that",
        ),
        (
            "train_per_fold.phases",
            [PHASE],
            "pseudolabel.enabled: true, but no phase of train_per_fold learns from pseudo-labels",
        ),
        (
            "pseudolabel.phases",
            [{**PHASE, "averaging": "swa"}],
            "phases.0.averaging: swa averages the ends of cycles, or all epochs at a",
        ),
        (
            "pseudolabel.phases",
            [scheduled("cosine", learning_rate=float("inf"))],
            "phases.0.schedule.cosine.learning_rate: inf is not allowed: Input should be a finite",
        ),
        ("snapshot_ensemble.scales", [float("nan")], "ensemble.scales.0: nan is not allowed"),
        ("training.optimizer.weight_decay", "nan", "weight_decay: nan is not allowed"),
        (
            "training.optimizer",
            {"name": "sgd", "weight_decay": 0.0, "momentum": 0},
            "training.optimizer.momentum: 0 is not allowed with sgd, whose momentum is Nesterov's",
        ),
        ("training.inner_folds", 1, "greater than or equal to 2"),
        (
            "train_per_fold.phases",
            [{**PHASE, "data": "pooled", "input": {"resized": 0, "size": 112}}],
            "train_per_fold.phases.0.input: snapshots predict at the size of the definition",
        ),
        (
            "train_per_fold.phases",
            [
                {**PHASE, "keep": "none", "input": {"resized": 0, "size": 112}},
                {**PHASE, "data": "pooled"},
            ],
            "train_per_fold.phases.0.input.size: fit none keeps 101 px, not 112",
        ),
        ("training.score_every", 0, "training.score_every: 0 is not allowed"),
        ("training.leave_out", ["empty"], "training.leave_out.0: 'empty' is not allowed"),
        ("snapshot_ensemble.shifts", [0], "snapshot_ensemble.shifts.0: 0 is not allowed"),
        ("snapshot_ensemble.scales", [0.0], "snapshot_ensemble.scales.0: 0.0 is not allowed"),
        ("threshold_search.low", 0.95, "must be below threshold_search.high"),
        ("submit.examples", 0, "greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_named(field: str, value: object, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_params(change(shrunk_content(), field, value), "params.yaml")
    message = str(caught.value)
    assert message.startswith("params.yaml: ")
    assert said in message
    assert "\n" not in message


def test_scse_needs_channels_to_squeeze() -> None:
    content = change(shrunk_content(), "models.lite0.scse", True)
    change(content, "models.lite0.decoder_channels", [32, 16, 8])
    with pytest.raises(InputError, match=r"models\.lite0\.scse: needs decoder_channels of 16"):
        parse_params(content, "params.yaml")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"decoder": "fused", "decoder_channels": [16] * 5},
            "no level for the encoder's first",
        ),
        ({"decoder": "fused", "decoder_channels": [16, 8, 1]}, "needs decoder_channels of 2"),
        ({"decoder": "transposed", "scse": True, "decoder_channels": [16, 8, 8]}, ""),
        ({"decoder": "light"}, "'light' is not allowed"),
        ({"dropout": 1.0}, "models.lite0.dropout: 1.0 is not allowed"),
        ({"head_channels": 0}, "models.lite0.head_channels: 0 is not allowed"),
    ],
)
def test_what_a_decoder_cannot_be_is_said(changes: dict[str, Any], said: str) -> None:
    content = shrunk_content()
    content["models"]["lite0"] |= changes
    if not said:
        assert parse_params(content, "params.yaml").models["lite0"].architecture == "unet"
        return
    with pytest.raises(InputError) as caught:
        parse_params(content, "params.yaml")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def with_heads(**heads: bool) -> dict[str, Any]:
    """Train the demo's U-Net as member, with heads or without."""
    content = shrunk_content()
    content["pseudolabel"]["enabled"] = False
    content["train_per_fold"]["members"] = ["lite0"]
    content["models"]["lite0"] |= heads
    return content


@pytest.mark.parametrize(
    ("heads", "loss", "said"),
    [
        ({}, {"dice": 1.0, "empty_mask": 0.1}, "empty_mask needs models.lite0.empty_head: true"),
        ({}, {"lovasz_elu_nonempty": 1.0}, "lovasz_elu_nonempty needs models.lite0.empty_head"),
        (
            {"empty_head": True},
            {"bce": 1.0, "empty_mask": 0.1, "deep_supervision": 0.1},
            "deep_supervision needs models.lite0.deep_supervision: true",
        ),
        ({"empty_head": True}, {"empty_mask": 1.0}, "needs a pixel loss too"),
        ({"empty_head": True}, {"bce": 1.0}, "models.lite0.empty_head: no phase of train_per_fold"),
        ({"deep_supervision": True}, {"bce": 1.0}, "models.lite0.deep_supervision: no phase"),
        ({}, {}, "phases.1.loss: {} is not allowed"),
        ({}, {"bce": 0.0}, "phases.1.loss.bce: 0.0 is not allowed"),
    ],
)
def test_losses_and_heads_that_do_not_go_together_are_named(
    heads: dict[str, bool], loss: dict[str, float], said: str
) -> None:
    content = with_heads(**heads)
    content["train_per_fold"]["phases"][1]["loss"] = loss
    with pytest.raises(InputError) as caught:
        parse_params(content, "params.yaml")
    assert said in str(caught.value)


def test_heads_with_their_losses_are_taken() -> None:
    content = with_heads(empty_head=True, deep_supervision=True)
    loss = {"lovasz_elu_nonempty": 1.0, "empty_mask": 0.1, "deep_supervision": 0.1}
    content["train_per_fold"]["phases"][2]["loss"] = loss
    assert parse_params(content, "params.yaml").train_per_fold.phases[2].loss == loss


def test_a_head_that_only_pseudolabels_would_train_is_refused() -> None:
    content = with_heads(empty_head=True)
    content["train_per_fold"]["phases"][0]["loss"] = {"bce": 1.0, "empty_mask": 0.1}
    assert content["train_per_fold"]["phases"][0]["data"] == "pseudolabels"
    with pytest.raises(InputError, match="uses the loss empty_mask on data other than pseudo"):
        parse_params(content, "params.yaml")


def test_probabilities_that_no_loss_takes_are_refused() -> None:
    content = change(shrunk_content(), "pseudolabel.soft", True)
    assert parse_params(content, "params.yaml").pseudolabel.soft
    content["train_per_fold"]["phases"][0]["loss"] = {"lovasz": 1.0}
    with pytest.raises(InputError, match=r"pseudolabel\.soft: true has no effect"):
        parse_params(content, "params.yaml")


def test_a_warm_start_needs_a_teacher_whose_weights_fit() -> None:
    content = change(shrunk_content(), "pseudolabel.warm_start", True)
    assert parse_params(content, "params.yaml").pseudolabel.warm_start
    content["pseudolabel"]["enabled"] = False
    with pytest.raises(InputError, match=r"warm_start: true, but no teacher is trained; set"):
        parse_params(content, "params.yaml")
    content["pseudolabel"]["enabled"] = True
    content["models"]["wider"] = content["models"]["class_unet"] | {"filters": 3}
    content["train_per_fold"]["members"].append("wider")
    with pytest.raises(
        InputError, match=r"models\.wider differs from .* models\.class_unet, whose"
    ):
        parse_params(content, "params.yaml")


def test_a_missing_field_is_named() -> None:
    content = shrunk_content()
    del content["base"]["seed"]
    with pytest.raises(InputError, match=r"base\.seed: is missing"):
        parse_params(content, "params.yaml")


def test_training_without_snapshots_is_refused() -> None:
    content = shrunk_content()
    for phase in content["train_per_fold"]["phases"]:
        phase["keep"] = "none"
    with pytest.raises(InputError, match="phases: none keeps a snapshot; give one keep"):
        parse_params(content, "params.yaml")


def test_exponents_without_a_point_are_numbers(tmp_path: Path) -> None:
    # PyYAML reads 1e-3 as a string, DVC as a number.
    content = change(shrunk_content(), "training.optimizer.weight_decay", 0.25)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content).replace("0.25", "1e-3"))
    assert load_params(path).training.optimizer.weight_decay == 0.001


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"base: [", "cannot be read as YAML"),
        (b"base: \xff", "cannot be read as YAML"),
        (b"base: 2026-13-45", "cannot be read as YAML"),
        (b"", "has no sections; write it with 'saltseg recipe NAME'"),
        (b"[base]", "has no sections"),
    ],
)
def test_a_file_of_no_parameters_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"params\.yaml: {said}") as caught:
        load_params(path)
    assert "\n" not in str(caught.value)
