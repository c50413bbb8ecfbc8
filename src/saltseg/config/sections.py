"""The sections of params.yaml: strict, typed, one docstring line per field."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from saltseg.config.model_definitions import CROP
from saltseg.config.own import Own
from saltseg.config.phases import Phase
from saltseg.config.schema import (
    ALL,
    AtLeastOne,
    Count,
    Float,
    Fold,
    Name,
    NotNegative,
    Positive,
    Section,
    Share,
)

MOST_FOLDS = 100
"""Largest number of folds; every member is trained once per fold."""

MOST_CROPS = 1_000_000
"""Largest number of crops of a survey, 45 times the competition's."""


class Base(Section):
    """What every stage shares."""

    seed: Count
    """Seed of everything random; each use derives its own stream from the seed and a name."""


CHANGES_NOTHING = frozenset({"workers", "save_seconds"})
"""Fields of Runtime that change no result: no stage tracks them, and no hash includes them."""


class Runtime(Section):
    """Where and how the work runs. The fields in CHANGES_NOTHING do not affect results."""

    workers: Annotated[int, Field(ge=0, le=1024)]
    """Processes that augment crops (0: in the training process); in `ingest`, 0 means all CPUs."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"]
    """Device for training and prediction; `auto` takes a GPU if there is one."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Number format of the networks; `auto` takes bfloat16 if the device supports it natively."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 2
    """CPU threads; a different number changes the last digits of sums."""
    save_seconds: NotNegative = 30.0
    """Shortest time between two checkpoints, in seconds; 0 saves at each step."""


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
            raise ValueError(f"raw_dir: {folder!a} is not a folder's name; use e.g. data/raw")
        if folder.startswith("~"):
            raise ValueError(f"raw_dir: {folder!r}: DVC knows no ~; write the home folder out")
        return self

    @model_validator(mode="after")
    def _own_alone(self) -> Self:
        """Refuse settings of `own` that another source would ignore."""
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
    """Number of pretraining crops for phases with `data: survey`, whatever the source."""
    style: Literal["default", "wide"] = "default"
    """Draw the survey like the competition's, or as widely as surveys differ: sampling, polarity,
    noise, gain, mutes, thin sheets."""


class CoverageStratify(Section):
    """How crops that were cut side by side are found."""

    min_correlation: Share
    """Least correlation of the borders of two neighbours."""
    min_margin: Share
    """How much better the best match is than the second: its 1 - correlation is smaller by at least
    this share."""


class FoldSplit(Section):
    """How the training crops are divided into folds."""

    n_folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)]
    """Number of folds."""
    strategy: Literal["coverage", "depth", "coverage_grouped"]
    """Balance coverage classes, depth, or coverage classes with whole mosaics in one fold."""
    seed: Count | None = None
    """Seed of the split; null takes base.seed."""
    locked: list[Count] = Field(default_factory=list)
    """Folds that ablations neither train nor score. A run that trains some of them quotes its score
    on their crops alone."""

    @model_validator(mode="after")
    def _kept_locked(self) -> Self:
        """Check that locked folds are the same crops in every run, and leave others to explore."""
        if self.locked and self.seed is None:
            raise ValueError(
                "locked: needs a seed, so that the folds stay the same under every base.seed; set"
                " fold_split.seed, e.g. to base.seed"
            )
        if len({*self.locked}) == self.n_folds:
            raise ValueError("locked: all folds are; leave one to explore on")
        return self


class Optimizer(Section):
    """The optimiser."""

    name: Literal["sgd", "adam", "adamw", "rmsprop"]
    """Algorithm."""
    weight_decay: Annotated[Float, Field(ge=0)]
    """Weight decay; not applied to biases and normalisation."""
    momentum: Share
    """Momentum of `rmsprop` and of `sgd`, where it is Nesterov's and must be above 0."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check how the fields fit together."""
        if self.name == "sgd" and self.momentum == 0:
            raise ValueError(
                "momentum: 0 is not allowed with sgd, whose momentum is Nesterov's; raise it"
            )
        return self


class Training(Section):
    """Training settings shared by teachers and members."""

    batch_size: Annotated[int, Field(ge=1, le=MOST_CROPS)]
    """Crops per training step."""
    augmentation: Literal[
        "none",
        "flip",
        "light",
        "strong",
        "place1_shift",
        "place1_shear",
        "place2",
        "place9",
        "place15",
    ]
    """Augmentation preset of the training crops."""
    optimizer: Optimizer
    """The optimiser."""
    inner_folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)] = 10
    """For a plateau or `keep: {best: N}`, one of this many parts is set aside as validation."""
    score_every: AtLeastOne = 1
    """Score the held-out fold every so many epochs, and at the end of each cycle."""
    leave_out: list[Literal["vertical", "tiny"]] = Field(default_factory=list)
    """Training crops not to learn from: masks of full columns, and of 1 to 100 px."""


class PseudoLabel(Section):
    """Pseudo-labels: test crops that a fold's teacher labels with confidence."""

    enabled: bool
    """If false, there are no pseudo-labels and no teacher is trained."""
    teacher: Name
    """Name of the teacher's model definition."""
    rounds: Annotated[int, Field(ge=1, le=100)] = 1
    """Number of teachers in turn; each after the first may learn from the previous one's labels."""
    soft: bool = False
    """Keep probabilities: `bce` and `dice` learn them, other losses threshold them at 0.5."""
    warm_start: bool = False
    """Members go on from the weights of their fold's last teacher, not from their definition's."""
    phases: list[Phase] = Field(min_length=1)
    """Training of each teacher; the first round has no pseudo-labels."""
    min_confidence: Share
    """Least share of confident pixels (p < 0.2 or p > 0.8) for a crop to be kept."""
    small_mask: Count
    """Masks of up to this many pixels are small."""
    small_min_confidence: Share
    """Least share of confident pixels for a small mask."""
    empty_share: Share
    """Share of the confident empty crops to keep."""


class TrainPerFold(Section):
    """Training of every member on every fold."""

    members: list[Name] = Field(min_length=1)
    """Names of the model definitions that make up the ensemble."""
    folds: list[Fold] = Field(min_length=1)
    """Folds to hold out; `all` trains a network on all folds too, for test crops and the model."""
    phases: list[Phase] = Field(min_length=1)
    """Phases in order; those on pseudo-labels alone are skipped if there are none."""

    @property
    def held_out(self) -> list[int]:
        """The folds whose crops are predicted out-of-fold."""
        return [fold for fold in self.folds if fold != ALL]

    @property
    def predicting(self) -> list[Fold]:
        """The folds whose networks predict new crops: ALL alone where it is trained."""
        return [ALL] if ALL in self.folds else self.folds


class SnapshotEnsemble(Section):
    """How predictions are averaged."""

    flip: bool
    """Average the predictions of a crop and of its mirror image."""
    shifts: list[Annotated[int, Field(ge=1, lt=CROP)]]
    """Also average the predictions of the crop shifted by this many pixels in four directions."""
    scales: list[Positive]
    """Also average the predictions of the crop scaled about its centre, e.g. by 0.9 and 1.1."""
    snapshot_decay: Annotated[Float, Field(gt=0, le=1)]
    """Weight of a snapshot relative to the next newer one; 1 weights all equally."""
    member_weights: dict[Name, Positive]
    """Weights of members in the mean; 1 for members not listed."""
    outside: list[Name] = Field(default_factory=list)
    """Folders of outside/ with predictions of other systems, which are members of the mean too."""
    greedy_weights: bool = False
    """Choose the weights of members on out-of-fold crops, nested, in place of `member_weights`."""
    predict_test: bool = True
    """Predict the test crops; without them there is a score, but no submission and no model."""


class ThresholdSearch(Section):
    """The search for the probability threshold of salt."""

    low: Share
    """Lowest threshold of the grid."""
    high: Share
    """Highest threshold of the grid."""
    count: Annotated[int, Field(ge=2, le=10_001)]
    """Number of thresholds."""
    bootstrap: Annotated[int, Field(ge=1, le=1_000_000)]
    """Bootstrap resamples for the confidence interval."""


class PostprocessConnectedComponents(Section):
    """The search for the sizes of salt components and holes to clean up."""

    salt_sizes: list[Count] = Field(min_length=1)
    """Salt components smaller than the chosen size, in pixels, are removed; 0 removes none."""
    hole_sizes: list[Count] = Field(min_length=1)
    """Holes smaller than the chosen size, in pixels, are filled; 0 fills none."""
    copy_vertical: bool = False
    """Copy training labels of full columns to the crops found below them."""


class Submit(Section):
    """The submission."""

    examples: Annotated[int, Field(ge=1, le=10_000)]
    """Number of crops on the contact sheet of predictions."""
