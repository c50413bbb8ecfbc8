"""The trials of an ablation: a base, and variants that differ from it in one change each."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from saltseg.ablation.effects import Design
from saltseg.ablation.input_hash import hash_inputs
from saltseg.ablation.locked_folds import check_lock, explored_folds
from saltseg.ablation.overrides import overrides_of, read_base, split_values
from saltseg.config.crop_counts import CropCounts, expected_crops
from saltseg.config.params import Params
from saltseg.config.sections import CHANGES_NOTHING
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout, check_project

if TYPE_CHECKING:
    from saltseg.ablation.matching import Units

_LONGEST_NAME = 40

_NO_TEST_CROPS = "++snapshot_ensemble.predict_test=false"
"""Spares trials the prediction of 18,000 test crops, which changes no score."""


@dataclass(frozen=True)
class Request:
    """An ablation as the user requests it."""

    base: str
    """A recipe, or overrides.PRESENT."""
    vary: Sequence[str]
    """KEY=A,B,C: each value is a variant; overrides joined by " & " make one variant."""
    overrides: Sequence[str] = ()
    """KEY=VALUE, for base and variants alike."""
    folds: Sequence[int] = ()
    """Folds to train; empty for those of the base that are not locked."""
    seeds: Sequence[int] = ()
    """Values of base.seed; empty for the base's."""
    match: Literal["cost"] | None = None
    """Give every variant the base's cost of training, by fewer or more epochs."""
    halving: bool = False
    """Train all variants at a share of their epochs, and only the better ones for longer."""
    train: int | None = None
    """Training crops that costs are counted for; None as crop_counts.expected_crops says."""
    pseudolabels: int | None = None
    """Pseudo-labelled crops of a fold that costs are counted for, likewise."""


@dataclass(frozen=True)
class Trial:
    """One run of the pipeline."""

    change: str
    """KEY=VALUE, several joined by " & "; "" for the base."""
    label: str
    """Its name in the table."""
    seed: int
    overrides: tuple[str, ...]
    """As for `dvc exp run -S`."""
    epochs: tuple[str, ...]
    """Those of the overrides that give it the base's cost, or a share of its own."""
    params: Params
    digest: str
    """Hash of everything that determines its result: parameters, code and raw data."""

    @property
    def name(self) -> str:
        """The name of its experiment; the hash at the end identifies it."""
        return f"ablate-{_slug(self.label)}-seed{self.seed}-{self.digest}"


@dataclass(frozen=True)
class Plan:
    """All trials of an ablation, seed by seed, the base first."""

    request: Request
    folds: list[int]
    seeds: list[int]
    changes: list[str]
    trials: list[Trial]
    design: Design
    crops: CropCounts
    composer: "Composer"
    share: Fraction = Fraction(1)
    """Of the cost of training; less than 1 in the rungs of a halving."""

    @property
    def first(self) -> list[Trial]:
        """The trials of the first seed."""
        return self.trials[: 1 + len(self.changes)]

    def rung(self, share: Fraction, first: Sequence[Trial]) -> "Plan":
        """Return a plan of some of the changes, at a share of the cost.

        first: base and variants under the first seed. The design still counts every change.
        """
        trials = [*first, *self.composer.under_seeds(first, self.seeds[1:])]
        changes = [trial.change for trial in first[1:]]
        return replace(self, changes=changes, trials=trials, share=share)


def make_plan(root: Path, request: Request) -> Plan:
    """Compose and check the parameters of every trial.

    A value that the base has already, or that is given twice, is left out.
    Raises InputError for an invalid override, for a locked fold, for a change whose crops cannot be
    paired, and for one that cannot have the base's cost where costs are to match.
    """
    check_project(root)
    layout = Layout(root)
    first = read_base(layout, request.base, request.overrides)
    seeds = list(request.seeds) or [first.base.seed]
    check_lock(layout, first, request.base, seeds)
    folds = explored_folds(first, list(request.folds), request.base)
    if len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds: {seeds} has a duplicate")
    listed = [change for each in request.vary for change in split_values(each)]
    crops = expected_crops(first, request.train, request.pseudolabels)
    composer = Composer(layout, request, folds, crops, hash_inputs(root, first.ingest))
    base = composer.trial("", seeds[0])
    trials = _distinct([base, *(composer.variant(change, base) for change in listed)])
    changes = [trial.change for trial in trials[1:]]
    if not changes:
        raise InputError(
            f"--vary: {request.base} has {', '.join(listed)} already; give another value"
        )
    trials += composer.under_seeds(trials, seeds[1:])
    design = _design(base.params, changes)
    return Plan(request, folds, seeds, changes, trials, design, crops, composer)


def _distinct(trials: list[Trial]) -> list[Trial]:
    """Return the first trial of each digest, checked against the base, the first of all."""
    for variant in trials[1:]:
        _check_pairs(trials[0].params, variant)
    found: dict[str, Trial] = {}
    for trial in trials:
        found.setdefault(trial.digest, trial)
    return list(found.values())


def _check_pairs(base: Params, variant: Trial) -> None:
    """Check that base and variant score the same crops."""
    params, change = variant.params, variant.change
    if (params.base, params.train_per_fold.folds) != (base.base, base.train_per_fold.folds):
        raise InputError(f"--vary {change}: give seeds and folds with --seeds and --folds")
    if _crops(params) != _crops(base):
        raise InputError(f"--vary {change}: changes the crops, so they cannot be compared")
    before, after = ((each.fold_split, each.coverage_stratify) for each in (base, params))
    if after != before and (base.fold_split.locked or params.fold_split.locked):
        raise InputError(
            f"--vary {change}: changes which crops are in the locked folds (fold_split.locked); to"
            " compare ways to split, lock none: -S 'fold_split.locked=[]'"
        )
    every = range(base.fold_split.n_folds)
    if params.fold_split.n_folds != len(every):
        raise InputError(
            f"--vary {change}: with other folds, base and variant are not scored on the same crops;"
            " train them with dvc exp run, and compare their scores"
        )
    if after != before and set(base.train_per_fold.folds) != set(every):
        all_folds = ",".join(map(str, every))
        raise InputError(f"--vary {change}: changes the folds; compare all: --folds {all_folds}")


def _crops(params: Params) -> tuple[object, ...]:
    """Return what the scored crops depend on; the survey section is ignored for real crops."""
    survey = params.survey if params.ingest.source == "survey" else None
    return params.ingest, survey and (survey.train, survey.test, survey.style)


def _design(base: Params, changes: Sequence[str]) -> Design:
    return Design(
        folds=base.fold_split.n_folds,
        new_crops=base.ingest.source == "survey",
        resamples=base.threshold_search.bootstrap,
        variants=len(changes),
    )


@dataclass(frozen=True)
class Composer:
    """Makes trials that share a base, its folds, and code and raw data."""

    layout: Layout
    request: Request
    folds: list[int]
    crops: CropCounts
    inputs: str
    """Hash of code and raw data; see input_hash.hash_inputs."""
    _units: dict[str, "Units"] = field(default_factory=dict, init=False, compare=False)
    """By change: the number of epochs and the seed leave them alone, and to count takes seconds."""

    def trial(self, change: str, seed: int, epochs: Sequence[str] = ()) -> Trial:
        """Compose and check the parameters of one trial; epochs: overrides that set its cost."""
        shared = [
            _NO_TEST_CROPS,
            *self.request.overrides,
            f"base.seed={seed}",
            f"train_per_fold.folds={json.dumps(self.folds)}",
        ]
        overrides = (*shared, *overrides_of(change), *epochs)
        params = read_base(self.layout, self.request.base, overrides)
        label, digest = change or self.request.base, _digest(params, self.inputs)
        return Trial(change, label, seed, overrides, tuple(epochs), params, digest)

    def variant(self, change: str, base: Trial) -> Trial:
        """Return the trial of a change, at the base's cost if the request is for that."""
        own = self.trial(change, base.seed)
        return own if self.request.match is None else self._at_cost(own, self.cost(base))

    def scaled(self, first: Sequence[Trial], share: Fraction) -> list[Trial]:
        """Return a base and its variants at a share of their cost, by fewer epochs.

        Where costs are to match, variants get that of the base so scaled.
        Raises InputError if whole epochs come no nearer than a tenth, or are too few for a phase.
        """
        base = self._at_cost(first[0], round(share * self.cost(first[0])))
        targets = [
            self.cost(base) if self.request.match else round(share * self.cost(each))
            for each in first[1:]
        ]
        return [base, *map(self._at_cost, first[1:], targets)]

    def check_unchanged(self, trial: Trial) -> None:
        """Raise InputError if code, recipe or raw data are no longer those of the plan.

        A trial runs on what the project holds when it begins, which may be hours after the plan.
        """
        inputs = hash_inputs(self.layout.root, trial.params.ingest)
        now = replace(self, inputs=inputs).trial(trial.change, trial.seed, trial.epochs)
        if now.digest != trial.digest:
            raise InputError(
                f"{trial.label}, seed {trial.seed}: code, recipe or raw data have changed since "
                "the ablation began, so this trial could not be compared with those before it; "
                "change them back, or begin again with the same command as they are now, best in a "
                "clone that nobody edits"
            )

    def under_seeds(self, trials: Sequence[Trial], seeds: Sequence[int]) -> list[Trial]:
        """Return the same trials under each of other seeds."""
        return [self.trial(each.change, seed, each.epochs) for seed in seeds for each in trials]

    def cost(self, trial: Trial) -> int:
        """Return the operations of a trial's training, as learning.costs counts them."""
        from saltseg.ablation.matching import training_cost  # torch takes seconds

        return training_cost(trial.params, self._units_of(trial))

    def _at_cost(self, trial: Trial, target: int) -> Trial:
        """Return a trial with the epochs that give it a cost."""
        from saltseg.ablation.matching import epochs_at_cost

        try:
            found = epochs_at_cost(trial.params, self._units_of(trial), target)
            epochs = {each.partition("=")[0]: each for each in (*trial.epochs, *found)}
            return self.trial(trial.change, trial.seed, [*epochs.values()])
        except InputError as error:
            match = "--match cost: " if self.request.match and trial.change else ""
            told = f"--vary {trial.change}" if trial.change else trial.label
            raise InputError(f"{told}: {match}{error}") from error

    def _units_of(self, trial: Trial) -> "Units":
        from saltseg.learning.costs import epoch_costs

        if trial.change not in self._units:
            crops = self.crops
            found = epoch_costs(trial.params, crops.train, crops.pseudolabels)
            self._units[trial.change] = found
        return self._units[trial.change]


def _slug(label: str) -> str:
    """Return the last parts of keys and their values, in characters valid in a git reference."""
    parts = (part.partition("=") for part in overrides_of(label.removesuffix(".yaml")))
    text = "-".join(key.rpartition(".")[2] + equals + value for key, equals, value in parts)
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:_LONGEST_NAME].rstrip("-")


def _digest(params: Params, inputs: str) -> str:
    """Hash what determines a trial's scores, which submission and test crops do not."""
    sections = params.model_dump(
        mode="json",
        exclude={
            "submit": True,
            "runtime": set(CHANGES_NOTHING),
            "snapshot_ensemble": {"predict_test"},
        },
    )
    content = json.dumps(sections, sort_keys=True)
    return hashlib.sha256(f"{inputs}\n{content}".encode()).hexdigest()[:10]
