"""A phase of training: its data, losses and learning rates, and the snapshots that it keeps."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from saltseg.config.model_definitions import InputSize
from saltseg.config.old_phases import is_old, rewrite_old, write_flow
from saltseg.config.rate_schedules import Constant, Plateau, Schedule
from saltseg.config.schema import Alternative, AtLeastOne, Float, Positive, Section, alternatives

LossName = Literal[
    "bce",
    "dice",
    "focal",
    "lovasz",
    "lovasz_elu",
    "lovasz_symmetric",
    "lovasz_elu_symmetric",
    "lovasz_softmax",
    "lovasz_nonempty",
    "lovasz_elu_nonempty",
    "empty_mask",
    "deep_supervision",
]
SOFT: frozenset[LossName] = frozenset({"bce", "dice"})
"""Losses that accept probabilities as targets."""
HEADS: dict[LossName, str] = {
    "empty_mask": "empty_head",
    "lovasz_nonempty": "empty_head",
    "lovasz_elu_nonempty": "empty_head",
    "deep_supervision": "deep_supervision",
}
"""The head that a model definition needs for a loss."""


class Mixed(Alternative):
    """The fold's training crops, plus pseudo-labels as a fixed share of each batch."""

    written: ClassVar = "mixed"
    share: Annotated[Float, Field(gt=0, lt=1)] = 0.5
    """Share of each batch that is drawn from the pseudo-labels, reshuffled each epoch."""


class Ema(Alternative):
    """Exponential moving average over the steps of a cycle."""

    written: ClassVar = "ema"
    decay: Annotated[Float, Field(gt=0, lt=1)] = 0.999
    """Share of the average that is kept in each step, after a warm-up."""


class Last(Section):
    """Keep the last epochs."""

    last: AtLeastOne
    """Number of the phase's epochs to keep."""


class Best(Section):
    """Keep the most recent epochs that set a new best inner validation score."""

    best: AtLeastOne
    """Number of epochs to keep; if too few set a new best, the best of the others fill the gap."""


Data = Annotated[
    Annotated[Literal["train"], Tag("train")]
    | Annotated[Literal["pseudolabels"], Tag("pseudolabels")]
    | Annotated[Literal["pooled"], Tag("pooled")]
    | Annotated[Literal["survey"], Tag("survey")]
    | Annotated[Mixed, Tag("mixed")],
    alternatives("train, pseudolabels, pooled, survey or {mixed: {share: ...}}"),
]
"""The fold's training crops, its pseudo-labels, both (pooled or mixed), or the survey's crops.

The survey's quotas hold the shares of coverage, columns and depth of all real training labels.
"""

Averaging = Annotated[
    Annotated[Literal["none"], Tag("none")]
    | Annotated[Literal["swa"], Tag("swa")]
    | Annotated[Ema, Tag("ema")],
    alternatives("none, swa or {ema: {decay: ...}}"),
]
"""Weight averaging: over a cycle's steps (EMA) or the phase's cycles (SWA)."""

Keep = Annotated[
    Annotated[Literal["none"], Tag("none")]
    | Annotated[Literal["cycle_ends"], Tag("cycle_ends")]
    | Annotated[Last, Tag("last")]
    | Annotated[Best, Tag("best")],
    alternatives("none, cycle_ends, {last: N} or {best: N}"),
]
"""Which epochs leave a snapshot."""


class Phase(Section):
    """A part of training with one loss and one schedule."""

    data: Data
    """Crops to learn from: train, pseudolabels, pooled, survey or {mixed: {share}}."""
    loss: dict[LossName, Positive] = Field(min_length=1)
    """Weight of each loss in the sum; at least one must be a pixel loss."""
    schedule: Schedule
    """Learning rates: {constant}, {cosine}, {one_cycle}, {triangular2} or {plateau}."""
    averaging: Averaging = "none"
    """What is scored and kept: the network (none), or an average of its weights."""
    keep: Keep
    """Snapshots to keep: none, the ends of cycles, the {last: N} or the {best: N} epochs."""
    input: InputSize | None = None
    """Another size of the input, only with `keep: none`: snapshots predict at the definition's."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_old(cls, value: object) -> object:
        if isinstance(value, dict) and is_old(value):
            raise PydanticCustomError(
                "rewritten",
                "a phase is now written {new}; see docs/recipes.md, or rewrite params.yaml "
                "with 'saltseg recipe NAME'",
                {"new": write_flow(rewrite_old(value))},
            )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check how the fields fit together."""
        if isinstance(self.keep, Last):
            self._check_last(self.keep.last)
        if isinstance(self.keep, Best):
            self._check_best(self.keep.best)
        if self.averaging != "none" and not self.keeps:
            name = choice_name(self.averaging)
            raise ValueError(f"averaging: {name} has no effect with keep: none; change keep")
        if self.averaging == "swa":
            self._check_swa()
        if self.input is not None and self.keeps:
            raise ValueError(
                "input: snapshots predict at the size of the definition, which this phase would not"
                " learn; set keep to none, or take input out"
            )
        return self

    @property
    def planned_epochs(self) -> int:
        """Number of epochs; a plateau may end earlier."""
        return self.schedule.cycles * self.schedule.epochs

    @property
    def fewest_epochs(self) -> int:
        """Least number of epochs; the first of a plateau always counts as an improvement."""
        if isinstance(self.schedule, Plateau):
            return min(self.planned_epochs, 1 + self.schedule.stop_patience)
        return self.planned_epochs

    @property
    def keeps(self) -> bool:
        """Whether the phase keeps snapshots."""
        return self.keep != "none"

    @property
    def uses_inner_validation(self) -> bool:
        """Whether a split of the training crops is set aside, and its scores decide."""
        return isinstance(self.schedule, Plateau) or isinstance(self.keep, Best)

    @property
    def learns_pseudolabels(self) -> bool:
        """Whether pseudo-labels are among its crops."""
        return self.data in ("pseudolabels", "pooled") or isinstance(self.data, Mixed)

    def _check_last(self, count: int) -> None:
        if isinstance(self.schedule, Plateau):
            raise ValueError(
                f"keep: {{last: {count}}} is not allowed with a plateau, which restores its "
                "best epoch; use cycle_ends to keep that one, or {best: N}"
            )
        if count > self.planned_epochs:
            raise ValueError(
                f"keep: {{last: {count}}} is more than the phase's {self.planned_epochs} epochs"
            )

    def _check_best(self, count: int) -> None:
        if count > self.fewest_epochs:
            raise ValueError(
                f"keep: {{best: {count}}} is more than the {self.fewest_epochs} epochs after "
                "which the phase may end; lower it"
            )

    def _check_swa(self) -> None:
        """Check that there are weights to average: ends of cycles, or epochs at a constant rate."""
        if self.uses_inner_validation:
            raise ValueError(
                "averaging: swa is not allowed with a plateau or keep: {best: N}; use ema or none"
            )
        if isinstance(self.schedule, Constant):
            return
        if isinstance(self.keep, Last) or self.schedule.cycles == 1:
            raise ValueError(
                "averaging: swa averages the ends of cycles, or all epochs at a constant "
                "learning rate; raise cycles and use keep: cycle_ends, or use schedule: constant"
            )


def choice_name(choice: str | Section) -> str:
    """Return the name of an alternative: `mixed` of {mixed: {...}}, `train` of train."""
    return choice.written if isinstance(choice, Alternative) else str(choice)
