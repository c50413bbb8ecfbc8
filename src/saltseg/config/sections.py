"""The sections of params.yaml: strict, typed, one docstring line a field."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from saltseg.config.model_definitions import CROP
from saltseg.config.phases import Phase
from saltseg.config.schema import Count, Float, Name, NotNegative, Positive, Section, Share

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

    source: Literal["survey", "tgs"]
    """`survey`: the embedded synthetic survey; `tgs`: Kaggle's files in `raw_dir`."""
    raw_dir: str
    """Folder of Kaggle's files, zipped or not; relative to the project or absolute, without ~."""

    @model_validator(mode="after")
    def _spelled_out(self) -> Self:
        """Check that DVC, which hashes the folder, and the stage find the same."""
        folder = self.raw_dir
        if not folder.isprintable() or folder.strip() != folder or folder in ("", "."):
            raise ValueError(f"raw_dir: {folder!a} names no folder; give one such as data/raw")
        if folder.startswith("~"):
            raise ValueError(f"raw_dir: {folder!r}: DVC knows no ~; write the home folder out")
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
    """Where a phase has a plateau or `keep: {best: N}`, one part of so many is watched instead."""


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
