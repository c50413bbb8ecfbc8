"""A phase of a training: what it learns from, by which losses and learning rates, what it keeps."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from saltseg.config.old_phases import is_old, rewrite_old, write_flow
from saltseg.config.schema import Alternative, AtLeastOne, Float, Positive, Section, alternatives

Epochs = Annotated[int, Field(ge=1, le=10_000)]
Cycles = Epochs

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


class Mixed(Alternative):
    """The fold's training crops and its pseudo-labels, a fixed share of each batch."""

    written: ClassVar = "mixed"
    share: Annotated[Float, Field(gt=0, lt=1)] = 0.5
    """Share of each batch that is drawn from the pseudo-labels, anew in each epoch."""


class Constant(Alternative):
    """The same learning rate in all steps."""

    written: ClassVar = "constant"
    cycles: Cycles = 1
    """Number of cycles, whose ends may be kept."""
    epochs: Epochs
    """Epochs of each cycle."""
    learning_rate: Positive
    """Learning rate of every step."""


class _Falling(Alternative):
    """A learning rate that ends no higher than it is at its highest."""

    epochs: Epochs
    """Epochs of each cycle."""
    learning_rate: Positive
    """Highest learning rate."""
    final_learning_rate: Positive
    """Lowest learning rate that it comes down to."""

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate: {self.final_learning_rate} is above learning_rate, "
                f"{self.learning_rate}; lower it"
            )
        return self


class Cosine(_Falling):
    """In each cycle, a fall along half a cosine."""

    written: ClassVar = "cosine"
    cycles: Cycles = 1
    """Number of cycles."""

    @model_validator(mode="after")
    def _not_constant(self) -> Self:
        if self.final_learning_rate == self.learning_rate:
            raise ValueError(
                f"final_learning_rate: {self.final_learning_rate} is learning_rate; write "
                "schedule: {constant: ...}"
            )
        return self


class OneCycle(_Falling):
    """In each cycle, a rise to the learning rate and a longer fall."""

    written: ClassVar = "one_cycle"
    cycles: Cycles = 1
    """Number of cycles."""


class Triangular2(_Falling):
    """In each cycle, a rise from the final learning rate and a fall back, in straight lines."""

    written: ClassVar = "triangular2"
    cycles: Cycles = 1
    """Number of cycles; each triangle is half as high as the one before."""


class Plateau(_Falling):
    """One cycle whose learning rate falls when the watched crops show no gain, and that may end."""

    written: ClassVar = "plateau"
    cycles: ClassVar[int] = 1
    patience: AtLeastOne = 5
    """Epochs without a gain on the watched crops after which the learning rate falls."""
    factor: Annotated[Float, Field(gt=0, lt=1)] = 0.5
    """Share of the learning rate that such a fall leaves, down to the final one."""
    stop_patience: AtLeastOne = 20
    """Epochs without a gain after which the phase ends, before `epochs` if need be."""

    @model_validator(mode="after")
    def _patient(self) -> Self:
        if self.patience >= self.stop_patience:
            raise ValueError(
                f"patience: {self.patience} is not below stop_patience, {self.stop_patience}, so "
                "that the learning rate never falls; lower it"
            )
        return self


class Ema(Alternative):
    """Average of a cycle's steps, late ones above all."""

    written: ClassVar = "ema"
    decay: Annotated[Float, Field(gt=0, lt=1)] = 0.999
    """Share of itself that the average keeps in a step, once it has made enough steps."""


class Last(Section):
    """Keep the last epochs."""

    last: AtLeastOne
    """How many of the phase's epochs are kept."""


class Best(Section):
    """Keep the last epochs that were the best so far on the watched crops."""

    best: AtLeastOne
    """How many are kept; where fewer were the best so far, the best of the others fill up."""


Data = Annotated[
    Annotated[Literal["train"], Tag("train")]
    | Annotated[Literal["pseudolabels"], Tag("pseudolabels")]
    | Annotated[Literal["pooled"], Tag("pooled")]
    | Annotated[Literal["survey"], Tag("survey")]
    | Annotated[Mixed, Tag("mixed")],
    alternatives("train, pseudolabels, pooled, survey or {mixed: {share: ...}}"),
]
"""The fold's training crops, its pseudo-labels, both as one pool or by share, or the survey's."""

Schedule = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Cosine, Tag("cosine")]
    | Annotated[OneCycle, Tag("one_cycle")]
    | Annotated[Triangular2, Tag("triangular2")]
    | Annotated[Plateau, Tag("plateau")],
    alternatives("one of {constant: ...}, cosine, one_cycle, triangular2 and plateau"),
]
"""Course of the learning rate over `cycles` cycles of `epochs` epochs."""

Averaging = Annotated[
    Annotated[Literal["none"], Tag("none")]
    | Annotated[Literal["swa"], Tag("swa")]
    | Annotated[Ema, Tag("ema")],
    alternatives("none, swa or {ema: {decay: ...}}"),
]
"""Average of the weights: over a cycle's steps (EMA) or the phase's cycles (SWA)."""

Keep = Annotated[
    Annotated[Literal["none"], Tag("none")]
    | Annotated[Literal["cycle_ends"], Tag("cycle_ends")]
    | Annotated[Last, Tag("last")]
    | Annotated[Best, Tag("best")],
    alternatives("none, cycle_ends, {last: N} or {best: N}"),
]
"""Which epochs leave a snapshot."""


class Phase(Section):
    """A stretch of training with one loss and one schedule."""

    data: Data
    """Crops to learn from: train, pseudolabels, pooled, survey or {mixed: {share}}."""
    loss: dict[LossName, Positive] = Field(min_length=1)
    """Weight of each loss in the sum; at least one is on pixels, not of a head alone."""
    schedule: Schedule
    """Learning rates, by one of {constant}, {cosine}, {one_cycle}, {triangular2}, {plateau}."""
    averaging: Averaging = "none"
    """What is scored and kept: the network (none), or an average of its weights."""
    keep: Keep
    """Snapshots: none, of the ends of cycles, of the {last: N} or of the {best: N} epochs."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_old(cls, value: object) -> object:
        if isinstance(value, dict) and is_old(value):
            raise PydanticCustomError(
                "rewritten",
                "a phase is now written {new}; see docs/recipes.md, or write params.yaml anew "
                "with 'saltseg recipe NAME'",
                {"new": write_flow(rewrite_old(value))},
            )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check what several fields say together."""
        if isinstance(self.keep, Last):
            self._check_last(self.keep.last)
        if isinstance(self.keep, Best):
            self._check_best(self.keep.best)
        if self.averaging != "none" and not self.keeps:
            name = choice_name(self.averaging)
            raise ValueError(f"averaging: {name} has no effect with keep: none; take another keep")
        if self.averaging == "swa":
            self._check_swa()
        return self

    @property
    def planned_epochs(self) -> int:
        """Epochs that the phase takes; a plateau may take fewer."""
        return self.schedule.cycles * self.schedule.epochs

    @property
    def fewest_epochs(self) -> int:
        """Epochs that the phase has at least; a plateau's first is always its best so far."""
        if isinstance(self.schedule, Plateau):
            return min(self.planned_epochs, 1 + self.schedule.stop_patience)
        return self.planned_epochs

    @property
    def keeps(self) -> bool:
        """Whether the phase leaves snapshots."""
        return self.keep != "none"

    @property
    def watches(self) -> bool:
        """Whether crops that nothing learns from are scored after each epoch, and decide."""
        return isinstance(self.schedule, Plateau) or isinstance(self.keep, Best)

    @property
    def learns_pseudolabels(self) -> bool:
        """Whether pseudo-labels are among its crops."""
        return self.data in ("pseudolabels", "pooled") or isinstance(self.data, Mixed)

    def _check_last(self, count: int) -> None:
        if isinstance(self.schedule, Plateau):
            raise ValueError(
                f"keep: {{last: {count}}} is not allowed with a plateau, which goes back to its "
                "best epoch; take cycle_ends to keep that, or {best: N}"
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
        if self.watches:
            raise ValueError(
                "averaging: swa is not allowed with a plateau or keep: {best: N}; take ema or none"
            )
        if isinstance(self.schedule, Constant):
            return
        if isinstance(self.keep, Last) or self.schedule.cycles == 1:
            raise ValueError(
                "averaging: swa averages the ends of cycles, and all epochs only of a constant "
                "learning rate; raise cycles and take keep: cycle_ends, or take schedule: constant"
            )


def choice_name(choice: str | Section) -> str:
    """Return the name of an alternative: `mixed` of {mixed: {...}}, `train` of train."""
    return choice.written if isinstance(choice, Alternative) else str(choice)
