"""The progress of the items of a matrix that are trained at the same time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.layout import Layout


@dataclass
class Progress:
    """Which items wait, are done or have failed; the others are running."""

    waiting: dict[str, set[str]]
    """The items that each waiting one needs."""
    attempts: dict[str, int] = field(default_factory=dict)
    """How many starts of an item came to nothing, so that it had to start again."""
    done: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    @classmethod
    def of_items(cls, items: Mapping[str, set[str]]) -> "Progress":
        """Return the state in which all items wait; `items` stays as it is."""
        return cls({item: set(needed) for item, needed in items.items()})

    def ready(self) -> list[str]:
        """Return the items whose needs are done, in the pipeline's order."""
        return [item for item, needed in self.waiting.items() if needed <= self.done]

    def check(self, layout: Layout) -> None:
        """Raise InputError if items failed: it names them, their logs, and what was skipped."""
        if self.failed:
            logs = first_few([f"{item} ({layout.log(item)})" for item in self.failed])
            left = f"; {first_few([*self.waiting])} skipped" if self.waiting else ""
            raise InputError(f"{logs} failed, see its log{left}; done: {len(self.done)}")
