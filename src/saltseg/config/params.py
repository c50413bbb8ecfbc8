"""The schema of params.yaml: strict, typed, one docstring line a field."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.phase_checks import check_kept, check_phases, check_teaching
from saltseg.config.phases import Phase
from saltseg.config.schema import (
    AtLeastOne,
    Count,
    Float,
    Name,
    NotNegative,
    Positive,
    Section,
    Share,
    describe_findings,
)
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout


class Base(Section):
    """What every stage shares."""

    seed: Count
    """Seed of everything random; each use derives its own stream from it and a name."""


CHANGES_NOTHING = frozenset({"workers", "save_seconds"})
"""Fields of Runtime that change no result: no stage tracks them, and no hash holds them."""


class Runtime(Section):
    """Where the work is done. No result needs what CHANGES_NOTHING names."""

    workers: Count
    """Processes that augment crops beside the training, 0 for none; of `ingest`, 0 for all CPUs."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"]
    """Device that trains and predicts; `auto` takes a GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Number format of the networks; `auto` takes bfloat16 where the device computes in it."""
    threads: AtLeastOne = 2
    """Threads that compute on the CPU; another number changes the last digits of sums."""
    save_seconds: NotNegative = 30.0
    """Least time between two states that a killed training goes on from; 0 saves at each step."""


class Ingest(Section):
    """Where the crops come from."""

    source: Literal["survey", "tgs"]
    """`survey`: the embedded synthetic survey; `tgs`: Kaggle's files in `raw_dir`."""
    raw_dir: str
    """Folder of Kaggle's files, zipped or not; relative to the project or absolute."""


class Survey(Section):
    """The embedded synthetic survey."""

    train: AtLeastOne
    """Number of training crops."""
    test: AtLeastOne
    """Number of test crops."""
    pretraining: Count = 0
    """Crops of sections of their own, for phases with `data: survey`, whatever the source is."""


class CoverageStratify(Section):
    """What is known of a crop before any learning."""

    min_correlation: Share
    """Two crops are neighbours when their borders correlate at least this much."""
    min_margin: Share
    """And 1 - correlation is smaller by this share than with any other crop's border."""


class FoldSplit(Section):
    """How the training crops are divided into folds."""

    n_folds: Annotated[int, Field(ge=2)]
    """Number of folds."""
    strategy: Literal["coverage", "depth", "coverage_grouped"]
    """Balance coverage classes, depth, or coverage classes with mosaics kept in one fold."""


class Optimizer(Section):
    """How the weights are moved."""

    name: Literal["sgd", "adam", "adamw", "rmsprop"]
    """Rule that moves the weights."""
    weight_decay: Annotated[Float, Field(ge=0)]
    """Decay of the weights; not applied to biases and normalisation."""
    momentum: Share
    """Momentum of `sgd`, which is Nesterov's and above 0, and of `rmsprop`."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check what several fields say together."""
        if self.name == "sgd" and self.momentum == 0:
            raise ValueError(
                "momentum: 0 is not allowed with sgd, whose momentum is Nesterov's; raise it"
            )
        return self


class Training(Section):
    """What teachers and members share in their training."""

    batch_size: AtLeastOne
    """Crops of a training step."""
    augmentation: Literal[
        "none", "flip", "light", "strong", "place1_shift", "place1_shear", "place2", "place9"
    ]
    """Preset of random changes to the training crops."""
    optimizer: Optimizer
    """How the weights are moved."""
    inner_folds: Annotated[int, Field(ge=2)] = 10
    """Where a phase has a plateau or `keep: {best: N}`, one part of so many is watched instead."""


class PseudoLabel(Section):
    """Test crops that a fold's teacher is sure of."""

    enabled: bool
    """False gives empty sets at no cost."""
    teacher: Name
    """Name of the model definition of the teacher."""
    rounds: AtLeastOne = 1
    """Teachers in a row: each but the first may learn from the pseudo-labels of the one before."""
    soft: bool = False
    """Hand on probabilities: `bce` and `dice` learn them, other losses whether they are over .5."""
    phases: list[Phase] = Field(min_length=1)
    """Training of each teacher; in the first round there are no pseudo-labels."""
    min_confidence: Share
    """Least share of pixels with p < 0.2 or p > 0.8."""
    small_mask: Count
    """A mask of up to this many pixels is small."""
    small_min_confidence: Share
    """Least share of confident pixels for a small mask."""
    empty_share: Share
    """Share of the confident empty crops that is kept."""


class TrainPerFold(Section):
    """Training of every member on every fold."""

    members: list[Name] = Field(min_length=1)
    """Names of the model definitions that make up the ensemble."""
    folds: list[Count] = Field(min_length=1)
    """Folds to train; each model learns from all the other folds."""
    phases: list[Phase] = Field(min_length=1)
    """Phases in order; those on pseudo-labels are left out where there are none."""


class SnapshotEnsemble(Section):
    """How predictions are averaged."""

    flip: bool
    """Average the prediction of a crop with that of its mirror image."""
    shifts: list[AtLeastOne]
    """Average it with those of the crop moved by so many pixels, to each of the four sides."""
    scales: list[Positive]
    """Average it with those of the crop scaled about its centre, for example by .9 and 1.1."""
    snapshot_decay: Annotated[Float, Field(gt=0, le=1)]
    """Weight of a snapshot relative to the next newer one; 1 weighs all alike."""
    member_weights: dict[Name, Positive]
    """Weight of a member in the mean; 1 where it is not named."""


class ThresholdSearch(Section):
    """Where probability becomes salt."""

    low: Share
    """Lowest threshold of the grid."""
    high: Share
    """Highest threshold of the grid."""
    count: Annotated[int, Field(ge=2)]
    """Number of thresholds."""
    bootstrap: AtLeastOne
    """Resamples of the crops for the interval."""


class PostprocessConnectedComponents(Section):
    """Sizes of salt components and holes that are searched."""

    salt_sizes: list[Count] = Field(min_length=1)
    """Salt components of fewer pixels than the chosen size are removed; 0 removes none."""
    hole_sizes: list[Count] = Field(min_length=1)
    """Holes of fewer pixels than the chosen size are filled; 0 fills none."""


class Submit(Section):
    """The submission."""

    examples: AtLeastOne
    """Crops on the contact sheet of predictions."""


class Params(Section):
    """The whole of params.yaml."""

    base: Base
    runtime: Runtime
    ingest: Ingest
    survey: Survey
    coverage_stratify: CoverageStratify
    fold_split: FoldSplit
    models: dict[Name, ModelDefinition] = Field(min_length=1)
    """Model definitions by name."""
    training: Training
    pseudolabel: PseudoLabel
    train_per_fold: TrainPerFold
    snapshot_ensemble: SnapshotEnsemble
    threshold_search: ThresholdSearch
    postprocess_connected_components: PostprocessConnectedComponents
    submit: Submit

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check what several fields say together."""
        _check_names("pseudolabel.teacher", [self.pseudolabel.teacher], list(self.models))
        _check_names("train_per_fold.members", self.train_per_fold.members, list(self.models))
        folds = list(range(self.fold_split.n_folds))
        _check_names("train_per_fold.folds", self.train_per_fold.folds, folds)
        _check_names(
            "snapshot_ensemble.member_weights",
            list(self.snapshot_ensemble.member_weights),
            self.train_per_fold.members,
        )
        self._check_section("train_per_fold", self.train_per_fold.members)
        check_kept("train_per_fold", self.train_per_fold.phases)
        if self.pseudolabel.enabled:
            self._check_section("pseudolabel", [self.pseudolabel.teacher])
            taught, learned = self.pseudolabel.phases, self.train_per_fold.phases
            check_teaching(self.pseudolabel.rounds, self.pseudolabel.soft, taught, learned)
        if self.threshold_search.low >= self.threshold_search.high:
            raise ValueError("threshold_search.low: must be below threshold_search.high")
        return self

    def _check_section(self, section: str, networks: list[str]) -> None:
        """Check the phases of a section, by which `networks` learn."""
        models = {name: self.models[name] for name in networks}
        phases, size = getattr(self, section).phases, self.training.batch_size
        check_phases(section, phases, models, self.survey.pretraining, size)


def _check_names(field: str, given: list[Any], allowed: list[Any]) -> None:
    unknown = [item for item in given if item not in allowed]
    if unknown:
        raise ValueError(f"{field}: {unknown[0]!r} is none of {', '.join(map(str, allowed))}")
    if len(set(given)) < len(given):
        raise ValueError(f"{field}: {given} names one twice")


def check_fold(fold: int, params: Params, layout: Layout) -> None:
    """Raise InputError where params.yaml makes no such fold."""
    count = params.fold_split.n_folds
    if fold not in range(count):
        raise InputError(
            f"{layout.params}: fold_split.n_folds: there is no fold {fold}; name one of 0 to "
            f"{count - 1}"
        )


def load_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises InputError that names the file, the first wrong field, its value and what is allowed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"{path}: cannot be read as YAML: {' '.join(str(error).split())}"
        ) from error
    return parse_params(content, str(path))


def parse_params(content: object, source: str) -> Params:
    """Check parameters that were read from `source`; see load_params for the errors."""
    if not isinstance(content, dict):
        raise InputError(f"{source}: holds no sections; write it with 'saltseg recipe NAME'")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{source}: {describe_findings(error)}") from error
