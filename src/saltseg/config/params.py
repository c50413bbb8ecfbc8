"""The schema of params.yaml: strict, typed, one docstring line a field."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from saltseg.config.model_definitions import CROP, ModelDefinition
from saltseg.config.own import Own
from saltseg.config.schema import (
    AtLeastOne,
    Count,
    Float,
    Name,
    NotNegative,
    Positive,
    Section,
    Share,
)
from saltseg.config.yaml_content import read_yaml
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.layout import Layout

MOST_FOLDS = 100
"""Folds at most; each is a training of every member."""

MOST_CROPS = 1_000_000
"""Crops of a survey at most, 45 times the competition's."""


class Base(Section):
    """What every stage shares."""

    seed: Count
    """Seed of everything random; each use derives its own stream from it and a name."""


CHANGES_NOTHING = frozenset({"workers", "save_seconds"})
"""Fields of Runtime that change no result: no stage tracks them, and no hash holds them."""


class Runtime(Section):
    """Where the work is done. No result needs what CHANGES_NOTHING names."""

    workers: Annotated[int, Field(ge=0, le=1024)]
    """Processes that augment crops beside the training, 0 for none; of `ingest`, 0 for all CPUs."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"]
    """Device that trains and predicts; `auto` takes a GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Number format of the networks; `auto` takes bfloat16 where the device computes in it."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 2
    """Threads that compute on the CPU; another number changes the last digits of sums."""
    save_seconds: NotNegative = 30.0
    """Least time between two states that a killed training goes on from; 0 saves at each step."""


class Ingest(Section):
    """Where the crops come from."""

    source: Literal["survey", "tgs", "own"]
    """The embedded synthetic survey; Kaggle's files in `raw_dir`; or one's own data there."""
    raw_dir: str
    """Folder of Kaggle's or one's own files; relative to the project or absolute, without ~."""
    own: Own | None = None
    """How crops are cut from one's own data; without it, as its defaults say."""

    @model_validator(mode="after")
    def _spelled_out(self) -> Self:
        """Check that DVC, which hashes the folder, and the stage find the same."""
        folder = self.raw_dir
        if not folder.isprintable() or folder.strip() != folder or folder in ("", "."):
            raise ValueError(f"raw_dir: {folder!a} names no folder; give one such as data/raw")
        if folder.startswith("~"):
            raise ValueError(f"raw_dir: {folder!r}: DVC knows no ~; write the home folder out")
        return self

    @model_validator(mode="after")
    def _own_alone(self) -> Self:
        """Check that nothing is said that nobody reads."""
        if self.own is not None and self.source != "own":
            raise ValueError(
                f"own: means nothing with source: {self.source}; take it out, or set source to own"
            )
        return self


class Survey(Section):
    """The embedded synthetic survey."""

    train: Annotated[int, Field(ge=1, le=MOST_CROPS)]
    """Number of training crops."""
    test: Annotated[int, Field(ge=1, le=MOST_CROPS)]
    """Number of test crops."""
    pretraining: Annotated[int, Field(ge=0, le=MOST_CROPS)] = 0
    """Crops of sections of their own, for phases with `data: survey`, whatever the source is."""


class CoverageStratify(Section):
    """What is known of a crop before any learning."""

    min_correlation: Share
    """Two crops are neighbours when their borders correlate at least this much."""
    min_margin: Share
    """And 1 - correlation is smaller by this share than with any other crop's border."""


class FoldSplit(Section):
    """How the training crops are divided into folds."""

    n_folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)]
    """Number of folds."""
    strategy: Literal["coverage", "depth", "coverage_grouped"]
    """Balance coverage classes, depth, or coverage classes with mosaics kept in one fold."""


LossName = Literal[
    "bce",
    "dice",
    "focal",
    "lovasz",
    "lovasz_elu",
    "lovasz_symmetric",
    "lovasz_elu_symmetric",
    "lovasz_nonempty",
    "lovasz_elu_nonempty",
    "empty_mask",
    "deep_supervision",
]
SOFT: frozenset[LossName] = frozenset({"bce", "dice"})
"""Losses whose masks may be probabilities."""
HEADS: dict[LossName, str] = {
    "empty_mask": "empty_head",
    "lovasz_nonempty": "empty_head",
    "lovasz_elu_nonempty": "empty_head",
    "deep_supervision": "deep_supervision",
}
"""What a model definition has to build for a loss."""


class Phase(Section):
    """A stretch of training with one loss and one schedule."""

    data: Literal["train", "pseudolabels", "mixed", "pooled", "survey"]
    """The fold's training crops, its pseudo-labels, both by share or in a pool, or the survey's."""
    pseudolabel_share: Annotated[Float, Field(gt=0, lt=1)] = 0.5
    """Share of each batch of `mixed` that is drawn from the pseudo-labels, anew in each epoch."""
    loss: dict[LossName, Positive] = Field(min_length=1)
    """Weight of each loss in the sum; one at least that is not of a head alone."""
    schedule: Literal["cosine", "one_cycle", "triangular2", "plateau"] = "cosine"
    """Course of the learning rate in a cycle: a fall, a rise and a fall, a triangle, or steps."""
    cycles: Annotated[int, Field(ge=1, le=10_000)]
    """Number of cycles; each triangle of `triangular2` is half as high as the one before."""
    epochs: Annotated[int, Field(ge=1, le=10_000)]
    """Epochs of each cycle; of a triangle, both of Smith's steps; of a plateau, the most."""
    learning_rate: Positive
    """Highest learning rate of a cycle: the peak of `one_cycle` and a triangle, else the start."""
    final_learning_rate: Positive
    """Learning rate at the end of a cycle and the start of a triangle; a plateau's least."""
    patience: AtLeastOne = 5
    """Epochs without a gain on the watched crops after which a plateau's learning rate falls."""
    factor: Annotated[Float, Field(gt=0, lt=1)] = 0.5
    """Share of the learning rate that such a fall leaves."""
    stop_patience: AtLeastOne = 20
    """Epochs without a gain after which a plateau ends; its best epoch is kept and gone on from."""
    averaging: Literal["none", "ema", "swa"] = "none"
    """Average over a cycle's steps, late ones above all (EMA), or over the phase's cycles (SWA)."""
    averaging_decay: Annotated[Float, Field(gt=0, lt=1)] = 0.999
    """Share that the average by `ema` keeps of itself in a step, once it has made enough steps."""
    snapshots: bool
    """Keep snapshots: the network, or the average of its weights, at the end of each cycle."""
    keep_last: Count = 0
    """Keep the phase's last so many epochs instead of the cycles' ends; 0 keeps the cycles'."""
    keep_best: Count = 0
    """Keep instead the last so many epochs that were the best so far on the watched crops."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check what several fields say together."""
        if self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate: {self.final_learning_rate} is above learning_rate, "
                f"{self.learning_rate}; lower it"
            )
        if "pseudolabel_share" in self.model_fields_set and self.data != "mixed":
            raise ValueError(
                f"pseudolabel_share: {self.pseudolabel_share} does nothing with data: {self.data}; "
                "take it out, or take data: mixed"
            )
        if self.keep_last:
            self._check_last()
        if self.keep_best:
            self._check_best()
        if self.schedule == "plateau":
            self._check_plateau()
        if self.averaging != "none":
            self._check_average()
        return self

    @property
    def fewest_epochs(self) -> int:
        """Epochs that the phase has at least; a plateau's first is always its best so far."""
        planned = self.cycles * self.epochs
        return min(planned, 1 + self.stop_patience) if self.schedule == "plateau" else planned

    @property
    def watches(self) -> bool:
        """Whether crops that nothing learns from are scored after each epoch, and decide."""
        return self.schedule == "plateau" or self.keep_best > 0

    @property
    def learns_pseudolabels(self) -> bool:
        """Whether pseudo-labels are among its crops."""
        return self.data in ("pseudolabels", "mixed", "pooled")

    @property
    def constant(self) -> bool:
        """Whether the learning rate never changes."""
        return self.schedule == "cosine" and self.learning_rate == self.final_learning_rate

    def _check_average(self) -> None:
        """Check that there is something to average, and something to average for."""
        if not self.snapshots:
            raise ValueError(f"averaging: {self.averaging} needs snapshots: true to average for")
        if self.averaging == "swa" and self.cycles == 1 and not (self.watches or self.constant):
            raise ValueError(
                "averaging: swa averages the ends of cycles, and all epochs only where "
                "final_learning_rate is learning_rate; raise cycles"
            )

    def _check_last(self) -> None:
        """Check that the last epochs can be kept."""
        if not self.snapshots:
            raise ValueError(f"keep_last: {self.keep_last} needs snapshots: true")
        if self.keep_last > self.cycles * self.epochs:
            raise ValueError(f"keep_last: {self.keep_last} is more than the phase's epochs")
        if self.averaging == "swa" and not self.constant:
            raise ValueError(
                f"keep_last: {self.keep_last} is not allowed: swa averages the ends of cycles, and "
                "all epochs only where final_learning_rate is learning_rate"
            )

    def _check_best(self) -> None:
        """Check that the best epochs can be kept, however soon the phase ends."""
        if not self.snapshots:
            raise ValueError(f"keep_best: {self.keep_best} needs snapshots: true")
        if self.keep_last:
            raise ValueError(
                f"keep_best: {self.keep_best} is not allowed beside keep_last; set one of them to 0"
            )
        if self.averaging == "swa":
            raise ValueError("averaging: swa is not allowed with keep_best; take ema or none")
        if self.keep_best > self.fewest_epochs:
            raise ValueError(
                f"keep_best: {self.keep_best} is more than the {self.fewest_epochs} epochs after "
                "which the phase may end; lower it"
            )

    def _check_plateau(self) -> None:
        """Check what has no meaning, or does nothing, where the best epoch is kept."""
        if self.cycles != 1:
            raise ValueError(f"cycles: {self.cycles} is not allowed: a plateau has 1")
        if self.keep_last:
            raise ValueError(
                f"keep_last: {self.keep_last} is not allowed: a plateau keeps its best; take "
                "keep_best to keep several"
            )
        if self.averaging == "swa":
            raise ValueError("averaging: swa is not allowed with a plateau; take ema or none")
        if self.patience >= self.stop_patience:
            raise ValueError(
                f"patience: {self.patience} is not below stop_patience, {self.stop_patience}, so "
                "that the learning rate never falls; lower it"
            )


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

    batch_size: Annotated[int, Field(ge=1, le=MOST_CROPS)]
    """Crops of a training step."""
    augmentation: Literal[
        "none", "flip", "light", "strong", "place1_shift", "place1_shear", "place2", "place9"
    ]
    """Preset of random changes to the training crops."""
    optimizer: Optimizer
    """How the weights are moved."""
    inner_folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)] = 10
    """Trainings with a plateau or `keep_best` learn from all but one of so many, and watch it."""


class PseudoLabel(Section):
    """Test crops that a fold's teacher is sure of."""

    enabled: bool
    """False gives empty sets at no cost."""
    teacher: Name
    """Name of the model definition of the teacher."""
    rounds: Annotated[int, Field(ge=1, le=100)] = 1
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
    shifts: list[Annotated[int, Field(ge=1, lt=CROP)]]
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
    count: Annotated[int, Field(ge=2, le=10_001)]
    """Number of thresholds."""
    bootstrap: Annotated[int, Field(ge=1, le=1_000_000)]
    """Resamples of the crops for the interval."""


class PostprocessConnectedComponents(Section):
    """Sizes of salt components and holes that are searched."""

    salt_sizes: list[Count] = Field(min_length=1)
    """Salt components of fewer pixels than the chosen size are removed; 0 removes none."""
    hole_sizes: list[Count] = Field(min_length=1)
    """Holes of fewer pixels than the chosen size are filled; 0 fills none."""


class Submit(Section):
    """The submission."""

    examples: Annotated[int, Field(ge=1, le=10_000)]
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

    @property
    def used_models(self) -> dict[str, ModelDefinition]:
        """The definitions of the members and, where it is enabled, of the teacher, by name."""
        teacher = [self.pseudolabel.teacher] if self.pseudolabel.enabled else []
        return {name: self.models[name] for name in [*teacher, *self.train_per_fold.members]}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check what several fields say together."""
        _check_names("pseudolabel.teacher", [self.pseudolabel.teacher], list(self.models))
        _check_names("train_per_fold.members", self.train_per_fold.members, list(self.models))
        _check_fold_count(self)
        folds = list(range(self.fold_split.n_folds))
        _check_names("train_per_fold.folds", self.train_per_fold.folds, folds)
        _check_names(
            "snapshot_ensemble.member_weights",
            list(self.snapshot_ensemble.member_weights),
            self.train_per_fold.members,
        )
        if self.pseudolabel.enabled:
            teacher = self.pseudolabel.teacher
            _check_losses("pseudolabel", self.pseudolabel.phases, teacher, self.models[teacher])
            _check_survey("pseudolabel", self.pseudolabel.phases, self.survey)
            _check_shares("pseudolabel", self.pseudolabel.phases, self.training)
            _check_rounds(self.pseudolabel)
        _check_shares("train_per_fold", self.train_per_fold.phases, self.training)
        _check_survey("train_per_fold", self.train_per_fold.phases, self.survey)
        for member in self.train_per_fold.members:
            phases = self.train_per_fold.phases
            _check_losses("train_per_fold", phases, member, self.models[member])
        if not any(phase.snapshots for phase in self.train_per_fold.phases):
            raise ValueError("train_per_fold.phases: no phase keeps snapshots; set one to true")
        if self.pseudolabel.enabled:
            _check_learned(self.pseudolabel, self.train_per_fold.phases)
            _check_watched(self.pseudolabel.phases, self.train_per_fold.phases)
        if self.threshold_search.low >= self.threshold_search.high:
            raise ValueError("threshold_search.low: must be below threshold_search.high")
        return self


def _check_fold_count(params: Params) -> None:
    """Check that a survey has a crop for each fold; of other crops, fold-split knows the number."""
    crops, folds = params.survey.train, params.fold_split.n_folds
    if params.ingest.source == "survey" and folds > crops:
        raise ValueError(
            f"fold_split.n_folds: {folds} folds are more than the {crops} crops of survey.train;"
            " take fewer folds or more crops"
        )


def _check_names(field: str, given: list[Any], allowed: list[Any]) -> None:
    unknown = [item for item in given if item not in allowed]
    if unknown:
        raise ValueError(f"{field}: {unknown[0]!r} is none of {first_few(allowed, 20)}")
    if len(set(given)) < len(given):
        raise ValueError(f"{field}: {given} names one twice")


def _check_losses(
    section: str, phases: list[Phase], name: str, definition: ModelDefinition
) -> None:
    """Check that a model has the heads of its losses, and that all its heads are trained."""
    for index, phase in enumerate(phases):
        field = f"{section}.phases.{index}.loss"
        if not set(phase.loss) - {"empty_mask", "deep_supervision"}:
            raise ValueError(f"{field}: needs a loss on pixels too, for example bce")
        for loss in phase.loss:
            if loss in HEADS and not getattr(definition, HEADS[loss], False):
                raise ValueError(f"{field}: {loss} needs models.{name}.{HEADS[loss]}: true")
    # Phases on pseudo-labels alone are left out where there are none.
    always = [phase for phase in phases if phase.data != "pseudolabels"]
    for loss in ("empty_mask", "deep_supervision"):
        head = HEADS[loss]
        if getattr(definition, head, False) and not any(loss in phase.loss for phase in always):
            raise ValueError(
                f"models.{name}.{head}: no phase of {section} weighs the loss {loss} on other data "
                "than pseudolabels"
            )


def _check_survey(section: str, phases: list[Phase], survey: Survey) -> None:
    for index, phase in enumerate(phases):
        if phase.data == "survey" and not survey.pretraining:
            raise ValueError(
                f"{section}.phases.{index}.data: survey has no crops; set survey.pretraining to "
                "their number"
            )


def _check_shares(section: str, phases: list[Phase], training: Training) -> None:
    for index, phase in enumerate(phases):
        drawn, size = round(training.batch_size * phase.pseudolabel_share), training.batch_size
        if phase.data == "mixed" and drawn in (0, size):
            raise ValueError(
                f"{section}.phases.{index}.pseudolabel_share: {phase.pseudolabel_share} is {drawn} "
                f"of the {size} crops of a batch (training.batch_size); leave some of both"
            )


def _check_learned(settings: PseudoLabel, phases: list[Phase]) -> None:
    """Check that members learn from the pseudo-labels, and as they are handed on."""
    learning = [phase for phase in phases if phase.learns_pseudolabels]
    if not learning:
        raise ValueError(
            "pseudolabel.enabled: true, but no phase of train_per_fold learns from pseudo-labels; "
            "give one data: pseudolabels, mixed or pooled"
        )
    learning += [phase for phase in settings.phases if phase.learns_pseudolabels]
    if settings.soft and not any(SOFT & set(phase.loss) for phase in learning):
        raise ValueError(
            "pseudolabel.soft: true changes nothing: no phase that learns from pseudo-labels "
            f"weighs one of the losses {' and '.join(sorted(SOFT))}; set it to false"
        )


def _check_watched(taught: list[Phase], learned: list[Phase]) -> None:
    """Check that a teacher leaves alone the crops that members of its fold watch."""
    watching = [index for index, phase in enumerate(learned) if phase.watches]
    if watching and not any(phase.watches for phase in taught):
        first = learned[watching[0]]
        plateau = first.schedule == "plateau"
        field = "schedule: plateau" if plateau else f"keep_best: {first.keep_best}"
        raise ValueError(
            f"train_per_fold.phases.{watching[0]}.{field}: the teacher would learn from the crops "
            "that members watch; give a phase of pseudolabel a plateau, or keep_best, too"
        )


def _check_rounds(settings: PseudoLabel) -> None:
    taught = [phase.learns_pseudolabels for phase in settings.phases]
    if settings.rounds == 1 and any(taught):
        phase = taught.index(True)
        raise ValueError(
            f"pseudolabel.phases.{phase}.data: {settings.phases[phase].data} needs the labels of "
            "an earlier round; set pseudolabel.rounds to 2 or more"
        )
    if settings.rounds > 1 and not any(taught):
        raise ValueError(
            f"pseudolabel.rounds: {settings.rounds} needs a phase with data: pseudolabels, mixed "
            "or pooled"
        )
    if all(phase.data == "pseudolabels" or not phase.snapshots for phase in settings.phases):
        raise ValueError(
            "pseudolabel.phases: no phase of the first round keeps snapshots; set one to true"
        )


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
    return parse_params(read_yaml(path), str(path))


def parse_params(content: object, source: str) -> Params:
    """Check parameters that were read from `source`; see load_params for the errors."""
    if not isinstance(content, dict):
        raise InputError(f"{source}: holds no sections; write it with 'saltseg recipe NAME'")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{source}: {_describe(error)}") from error


def _describe(error: ValidationError) -> str:
    """Put the first of pydantic's findings into one line and count the rest."""
    findings = error.errors()
    first = findings[0]
    parts = [str(part) for part in first["loc"]]
    if parts[0:1] == ["models"]:
        # The third part is the family that pydantic chose, no field of the file.
        del parts[2:3]
    field = ".".join(parts)
    message = first["msg"].removeprefix("Value error, ")
    more = f" ({len(findings) - 1} more wrong)" if len(findings) > 1 else ""
    if first["type"] == "missing":
        return f"{field}: is missing; add it{more}"
    if first["type"] == "value_error":
        return ".".join([*parts, message]) + more
    return f"{field}: {first['input']!r} is not allowed: {message}{more}"
