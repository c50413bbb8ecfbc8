"""Schedules of the learning rate, as a phase of training names them."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, Tag, model_validator

from saltseg.config.schema import Alternative, AtLeastOne, Float, Positive, alternatives

Epochs = Annotated[int, Field(ge=1, le=10_000)]
Cycles = Epochs


class Constant(Alternative):
    """A constant learning rate."""

    written: ClassVar = "constant"
    cycles: Cycles = 1
    """Number of cycles; each end may leave a snapshot."""
    epochs: Epochs
    """Epochs of each cycle."""
    learning_rate: Positive
    """Learning rate of every step."""


class _Falling(Alternative):
    """A schedule with a highest and a lowest learning rate."""

    epochs: Epochs
    """Epochs of each cycle."""
    learning_rate: Positive
    """Highest learning rate."""
    final_learning_rate: Positive
    """Lowest learning rate."""

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate: {self.final_learning_rate} is above learning_rate, "
                f"{self.learning_rate}; lower it"
            )
        return self


class Cosine(_Falling):
    """In each cycle, the rate falls along half a cosine."""

    written: ClassVar = "cosine"
    cycles: Cycles = 1
    """Number of cycles."""

    @model_validator(mode="after")
    def _not_constant(self) -> Self:
        if self.final_learning_rate == self.learning_rate:
            raise ValueError(
                f"final_learning_rate: {self.final_learning_rate} equals learning_rate; write "
                "schedule: {constant: ...}"
            )
        return self


class OneCycle(_Falling):
    """In each cycle, the rate rises to its highest, then falls for longer."""

    written: ClassVar = "one_cycle"
    cycles: Cycles = 1
    """Number of cycles."""


class Triangular2(_Falling):
    """In each cycle, the rate rises linearly from the final learning rate and falls back."""

    written: ClassVar = "triangular2"
    cycles: Cycles = 1
    """Number of cycles; each triangle is half as high as the one before."""


class Plateau(_Falling):
    """Lowers the rate, and finally stops, when the inner validation score stops improving."""

    written: ClassVar = "plateau"
    cycles: ClassVar[int] = 1
    patience: AtLeastOne = 5
    """Epochs without improvement after which the learning rate falls."""
    factor: Annotated[Float, Field(gt=0, lt=1)] = 0.5
    """Factor that the learning rate is multiplied by, down to the final one."""
    stop_patience: AtLeastOne = 20
    """Epochs without improvement after which the phase ends early."""

    @model_validator(mode="after")
    def _patient(self) -> Self:
        if self.patience >= self.stop_patience:
            raise ValueError(
                f"patience: {self.patience} is not below stop_patience, {self.stop_patience}, so "
                "the learning rate never falls; lower it"
            )
        return self


Schedule = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Cosine, Tag("cosine")]
    | Annotated[OneCycle, Tag("one_cycle")]
    | Annotated[Triangular2, Tag("triangular2")]
    | Annotated[Plateau, Tag("plateau")],
    alternatives("one of {constant: ...}, cosine, one_cycle, triangular2 and plateau"),
]
"""The learning rate over `cycles` cycles of `epochs` epochs."""
