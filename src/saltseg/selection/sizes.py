"""The component sizes that masks are cleaned by, and the file that keeps them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from saltseg.plumbing.files import read_json, write_json

Sizes = tuple[int, int]
"""Smallest salt component and smallest hole to keep, in pixels; see components.clean."""

KEEP: Sizes = (0, 0)
"""Sizes that leave masks unchanged."""

_FILE = "sizes.json"


@dataclass(frozen=True)
class ChosenSizes:
    """The sizes for the test crops and for each part.

    helps: whether cleaning raises the nested score; if not, the test masks are left alone.
    overall: for the test crops, chosen on all out-of-fold crops; KEEP if cleaning does not help.
    by_part: for each part, chosen on the other parts, whether or not it helps.
    """

    helps: bool
    overall: Sizes
    by_part: dict[int, Sizes]

    def metrics(self) -> dict[str, Any]:
        """Return the sizes by the names that results have."""
        salt, hole = self.overall
        return {
            "helps": self.helps,
            "salt_size": salt,
            "hole_size": hole,
            "salt_size_by_part": {str(part): sizes[0] for part, sizes in self.by_part.items()},
            "hole_size_by_part": {str(part): sizes[1] for part, sizes in self.by_part.items()},
        }

    def save(self, folder: Path) -> None:
        """Write sizes.json into `folder`, that of postprocess-connected-components."""
        write_json(folder / _FILE, self.metrics())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises InputError if the file is missing or no JSON."""
        content = read_json(folder / _FILE)
        salt, hole = content["salt_size_by_part"], content["hole_size_by_part"]
        by_part = {int(part): (salt[part], hole[part]) for part in salt}
        return cls(content["helps"], (content["salt_size"], content["hole_size"]), by_part)
