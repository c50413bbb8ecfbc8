"""What an ablation runs: a base, and variants that differ from it in one change each."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from saltseg.ablation.effects import Design
from saltseg.ablation.overrides import PRESENT, overrides_of, read_base, split_values
from saltseg.config.params import Params
from saltseg.config.sections import CHANGES_NOTHING
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout, check_project
from saltseg.project.git import PATCH, git, scratch_index

_CODE = ("dvc.yaml", "src", "stages", "weights", "data")
"""What of the project determines a trial's result, beside its parameters."""

_LONGEST_NAME = 40


@dataclass(frozen=True)
class Request:
    """An ablation as a person asks for it."""

    base: str
    """A recipe, or overrides.PRESENT."""
    vary: Sequence[str]
    """KEY=A,B,C: each value is a variant of its own, and so are overrides joined by " & "."""
    overrides: Sequence[str] = ()
    """KEY=VALUE, for base and variants alike."""
    folds: Sequence[int] = ()
    """Folds to train; none for the base's own."""
    seeds: Sequence[int] = ()
    """Values of base.seed; none for the base's own."""


@dataclass(frozen=True)
class Trial:
    """One run of the pipeline."""

    change: str
    """KEY=VALUE, several joined by " & "; nothing for the base."""
    label: str
    """What the table calls it."""
    seed: int
    overrides: tuple[str, ...]
    """As `dvc exp run -S` takes them."""
    params: Params
    digest: str
    """Of all that determines its result: parameters and code."""

    @property
    def name(self) -> str:
        """The name of its experiment, by whose end it is found again."""
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


def make_plan(root: Path, request: Request) -> Plan:
    """Compose and check the parameters of every trial.

    A value that the base has already is left out, and so is one that is named twice.
    Raises InputError for an override that cannot be, and for a change without pairs.
    """
    check_project(root)
    layout = Layout(root)
    first = read_base(layout, request.base, request.overrides)
    folds = list(request.folds) or first.train_per_fold.folds
    seeds = list(request.seeds) or [first.base.seed]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds: {seeds} names one twice")
    listed = [change for each in request.vary for change in split_values(each)]
    composer = _Composer(layout, request, folds, hash_code(root))
    base = composer.trial("", seeds[0])
    trials = _distinct([base, *(composer.trial(change, seeds[0]) for change in listed)])
    changes = [trial.change for trial in trials[1:]]
    if not changes:
        raise InputError(f"--vary: {request.base} has {', '.join(listed)} already; give another")
    trials += [composer.trial(change, seed) for seed in seeds[1:] for change in ["", *changes]]
    return Plan(request, folds, seeds, changes, trials, _design(base.params))


def _distinct(trials: list[Trial]) -> list[Trial]:
    """Return the first trial of each digest, all checked against the base, which leads them."""
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
        raise InputError(f"--vary {change}: name seeds and folds by --seeds and --folds")
    if _crops(params) != _crops(base):
        raise InputError(f"--vary {change}: changes the crops, so that none can be compared")
    before, after = ((each.fold_split, each.coverage_stratify) for each in (base, params))
    every = range(base.fold_split.n_folds)
    if after != before and set(base.train_per_fold.folds) != set(every):
        all_folds = ",".join(map(str, every))
        raise InputError(f"--vary {change}: changes the folds; compare all: --folds {all_folds}")


def _crops(params: Params) -> tuple[object, ...]:
    """Return what the scored crops depend on; the survey's are of no matter beside real ones."""
    survey = params.survey if params.ingest.source == "survey" else None
    return params.ingest, survey and (survey.train, survey.test)


def _design(base: Params) -> Design:
    return Design(
        folds=base.fold_split.n_folds,
        new_crops=base.ingest.source == "survey",
        resamples=base.threshold_search.bootstrap,
    )


@dataclass(frozen=True)
class _Composer:
    """Makes trials that share a base, its folds and the code."""

    layout: Layout
    request: Request
    folds: list[int]
    code: str

    def trial(self, change: str, seed: int) -> Trial:
        """Compose and check the parameters of one trial."""
        shared = [
            *self.request.overrides,
            f"base.seed={seed}",
            f"train_per_fold.folds={json.dumps(self.folds)}",
        ]
        overrides = (*shared, *overrides_of(change))
        params = read_base(self.layout, self.request.base, overrides)
        label = change or self.request.base
        return Trial(change, label, seed, overrides, params, _digest(params, self.code))


def _slug(label: str) -> str:
    """Return the last parts of keys and their values in letters that a git reference may have."""
    parts = (part.partition("=") for part in overrides_of(label.removesuffix(".yaml")))
    text = "-".join(key.rpartition(".")[2] + equals + value for key, equals, value in parts)
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:_LONGEST_NAME].rstrip("-")


def _digest(params: Params, code: str) -> str:
    """Hash what determines a trial's scores; `submit` comes after them."""
    sections = params.model_dump(
        mode="json", exclude={"submit": True, "runtime": set(CHANGES_NOTHING)}
    )
    content = json.dumps(sections, sort_keys=True)
    return hashlib.sha256(f"{code}\n{content}".encode()).hexdigest()[:10]


def hash_code(root: Path) -> str:
    """Hash the tracked files that a trial reads, with their changes since the last commit.

    A commit that changes none of them, of documents for example, leaves the hash as it is.
    Raises InputError where git has no commit.
    """
    committed = git(root, "ls-tree", "-r", "HEAD", "--", *_CODE)
    with scratch_index(root) as index:
        git(root, "read-tree", "HEAD", environment=index)
        changed = git(root, *PATCH, "HEAD", "--", *_CODE, environment=index)
    return hashlib.sha256(committed + changed).hexdigest()


def dvc_options(request: Request, trial: Trial) -> list[str]:
    """Return the options by which `dvc exp run` gives a trial its parameters."""
    base = ["--no-hydra"] if request.base == PRESENT else ["-S", f"recipe={request.base}"]
    return base + [option for override in trial.overrides for option in ("-S", override)]
