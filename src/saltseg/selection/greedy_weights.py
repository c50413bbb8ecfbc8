"""Weights of the ensemble's members, chosen greedily on out-of-fold crops, and their file.

Members are drawn with replacement: each draw adds the member that raises the score most, and a
member's weight is the share of draws that it got. Source: Caruana, Niculescu-Mizil, Crew and
Ksikes, "Ensemble selection from libraries of models" (ICML 2004).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from saltseg.config.params import Params
from saltseg.plumbing.files import read_json, write_json
from saltseg.plumbing.layout import Layout
from saltseg.scoring.metric import precision_curve
from saltseg.selection.fixed_thresholds import COUNT, HIGH, LOW
from saltseg.selection.nested_choice import Integers, threshold_grid

DRAWS = 20
"""Number of draws; the bag with the best score on the way is taken."""

_CHUNK = 256
_FILE = "member_weights.json"

Bag = tuple[int, ...]
"""How often each member was drawn."""
Probabilities = npt.NDArray[np.float32]
Crops = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ChosenWeights:
    """Shares of the members in the mean, which sum to 1; a member that was never drawn has 0.

    overall: for the test crops, chosen on all out-of-fold crops. by_part: for each part, chosen on
    the other parts.
    """

    overall: dict[str, float]
    by_part: dict[int, dict[str, float]]

    def metrics(self) -> dict[str, float]:
        """Return the weights for the test crops by the names that results have."""
        return {f"weight_{member}": share for member, share in self.overall.items()}

    def save(self, folder: Path) -> None:
        """Write member_weights.json into `folder`, that of snapshot-ensemble."""
        by_part = {str(part): shares for part, shares in self.by_part.items()}
        write_json(folder / _FILE, {"overall": self.overall, "by_part": by_part})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises InputError if the file is missing or no JSON."""
        content = read_json(folder / _FILE)
        by_part = {int(part): shares for part, shares in content["by_part"].items()}
        return cls(content["overall"], by_part)


def chosen_params(layout: Layout, params: Params) -> Params:
    """Return the parameters with the weights that snapshot-ensemble chose, if it did.

    Raises InputError if their file is missing.
    """
    if not params.snapshot_ensemble.greedy_weights:
        return params
    return with_weights(params, ChosenWeights.load(layout.data("snapshot-ensemble")))


def with_weights(params: Params, weights: ChosenWeights) -> Params:
    """Return the parameters with weights for the test crops; that of a member may be 0."""
    given = {"greedy_weights": False, "member_weights": weights.overall}
    settings = params.snapshot_ensemble.model_copy(update=given)
    return params.model_copy(update={"snapshot_ensemble": settings})


def nested_weights(
    members: Mapping[str, Probabilities], truth: npt.NDArray[np.bool_], parts: Integers
) -> ChosenWeights:
    """Choose the weights of members for each part on the other parts, and overall on all crops.

    members: out-of-fold probabilities, float32 (n, h, w). truth: bool (n, h, w). parts: int64
    (n,); see nested_choice.selection_parts. What is raised is the mean score over the thresholds
    of fixed_thresholds, so that no search has part in it.
    """
    names, alone = [*members], [*members.values()]

    @cache
    def hits(bag: Bag) -> Integers:
        return _hits(_mix(alone, bag), truth)

    def chosen(crops: Crops) -> dict[str, float]:
        bag = _greedy(lambda drawn: int(hits(_reduced(drawn))[crops].sum()), len(names))
        return {name: drawn / sum(bag) for name, drawn in zip(names, bag, strict=True)}

    everything = np.ones(len(truth), bool)
    by_part = {int(part): chosen(parts != part) for part in np.unique(parts)}
    return ChosenWeights(chosen(everything), by_part)


def mix_by_part(
    members: Mapping[str, Probabilities], parts: Integers, weights: ChosenWeights
) -> Probabilities:
    """Return the mean over members with each crop's part's weights: float32 (n, h, w)."""
    mean = np.zeros_like(next(iter(members.values())))
    for part, shares in weights.by_part.items():
        own = np.flatnonzero(parts == part)
        for member, share in shares.items():
            if share:
                mean[own] += np.float32(share) * members[member][own]
    return mean


def _greedy(score: Callable[[Bag], int], members: int) -> Bag:
    """Return the best bag on the way of DRAWS draws, the smallest of equal ones.

    score: of a bag, in whole numbers, so that ties are exact; a tie goes to the first member.
    """
    bag: Bag = (0,) * members
    way: list[tuple[int, Bag]] = []
    for _ in range(DRAWS):
        added = [
            tuple(count + (at == member) for at, count in enumerate(bag))
            for member in range(members)
        ]
        bag = max(added, key=score)
        way.append((score(bag), bag))
    return max(way, key=lambda step: step[0])[1]


def _reduced(bag: Bag) -> Bag:
    """Return the smallest bag of the same proportions, which has the same mean."""
    divisor = gcd(*bag)
    return tuple(count // divisor for count in bag)


def _mix(alone: list[Probabilities], bag: Bag) -> Callable[[slice], Probabilities]:
    """Return what gives the mean of a bag for some crops."""
    shares = [np.float32(count / sum(bag)) for count in bag]

    def mixed(crops: slice) -> Probabilities:
        mean = np.zeros_like(alone[0][crops])
        for share, said in zip(shares, alone, strict=True):
            if share:
                mean += share * said[crops]
        return mean

    return mixed


def _hits(mixed: Callable[[slice], Probabilities], truth: npt.NDArray[np.bool_]) -> Integers:
    """Return each crop's score in tenths, summed over the fixed thresholds: int64 (n,)."""
    grid = threshold_grid(LOW, HIGH, COUNT)
    found = np.empty(len(truth), np.int64)
    for start in range(0, len(truth), _CHUNK):
        crops = slice(start, start + _CHUNK)
        curve = precision_curve(mixed(crops).astype(np.float16), truth[crops], grid)
        found[crops] = np.rint(10 * curve).astype(np.int64).sum(axis=1)
    return found
