"""What dvc.yaml says of a stage: its items, its place in the order, its inputs."""

import itertools
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

import yaml

from saltseg.plumbing.flat import flat_metrics

Item = tuple[str, ...]
"""The parts of a matrix stage's item, for example ("lite0", "0"); empty for a plain stage."""

_VARIABLE = re.compile(r"\$\{\s*([\w.]+)\s*\}")


class Pipeline:
    """dvc.yaml, with the parameters that its templates name."""

    def __init__(self, definition: bytes, params: dict[str, Any]) -> None:
        """Take the content of dvc.yaml."""
        self.params = params
        self.stages: dict[str, Any] = yaml.safe_load(definition)["stages"]

    def names(self) -> list[str]:
        """Return the names that dvc.lock has for the stages, in the order of dvc.yaml.

        An item of a matrix is named "STAGE@PART-PART".
        """
        return [
            "@".join([stage, "-".join(item)]) if item else stage
            for stage in self.stages
            for item in self.items(stage)
        ]

    def places(self, last: str | None = None) -> list[str]:
        """Return "STAGE" or "STAGE/PART/PART" for every item of the stages up to `last`, or of all.

        Below results and results/plots these are the places of the items' files.
        """
        stages = list(self.stages)
        if last in stages:
            stages = stages[: stages.index(last) + 1]
        return ["/".join([stage, *item]) for stage in stages for item in self.items(stage)]

    def metrics(self, results: Mapping[str, Any], before: str | None = None) -> dict[str, float]:
        """Return all stages' metrics as STAGE.ITEM.KEY, or those of the stages above `before`.

        The numbers of results/score.json come first, by their own names, unless they are of an
        earlier run: a pipeline that ends before submit leaves them as they were.

        results: contents of the metrics files by "STAGE" or "STAGE/PART/PART"; what an earlier
        list of members or folds has left among them is left out.
        """
        stages = list(self.stages)
        if before is not None:
            stages = stages[: stages.index(before)] if before in stages else []
        found = {} if before is not None else _score(results)
        for stage in stages:
            for item in self.items(stage):
                numbers = flat_metrics(results.get("/".join([stage, *item]), {}))
                found |= prefixed(numbers, stage, item)
        return found

    def inputs(self, outputs: Mapping[str, str], stage: str, item: Item) -> dict[str, str]:
        """Return those of `outputs`, hashes by path, that `stage` reads."""
        definition = self.stages.get(stage, {})
        names = dict(zip(definition.get("matrix", {}), item, strict=False))
        paths = [PurePath(self._filled(each, names)) for each in definition.get("deps", [])]
        return {
            output: digest
            for output, digest in sorted(outputs.items())
            if overlaps(PurePath(output), paths)
        }

    def tracked(self, stage: str, item: Item) -> list[str]:
        """Return the dotted paths of the parameters that `stage` tracks."""
        definition = self.stages.get(stage, {})
        names = dict(zip(definition.get("matrix", {}), item, strict=False))
        return [self._filled(each, names) for each in definition.get("params", [])]

    def items(self, stage: str) -> list[Item]:
        """Return the items that `stage` has with these parameters; () for a plain stage."""
        matrix = self.stages[stage].get("matrix", {})
        values = [self._listed(each) for each in matrix.values()]
        return [tuple(map(str, item)) for item in itertools.product(*values)]

    def _listed(self, values: str | list[Any]) -> list[Any]:
        """Return a matrix's list, which may be written as the name of a parameter: ${...}."""
        if isinstance(values, list):
            return values
        named = _VARIABLE.fullmatch(values)
        found = _looked_up(self.params, named[1]) if named else []
        return found if isinstance(found, list) else []

    def _filled(self, template: str, item: dict[str, str]) -> str:
        """Put the item's and the parameters' values in place of every ${...}."""
        values = {**self.params, "item": item}
        return _VARIABLE.sub(lambda found: str(_looked_up(values, found[1])), template)


def _score(results: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of results/score.json where they are of the masks beside it."""
    score: dict[str, Any] = results.get("score", {})
    cleaned = results.get("postprocess-connected-components", {})
    known = "score" in score and score["score"] == cleaned.get("score")
    return flat_metrics(score) if known else {}


def prefixed(metrics: dict[str, float], stage: str, item: Item) -> dict[str, float]:
    """Return a stage's metrics under the names that the parent run has for them."""
    start = ".".join([stage, *item])
    return {f"{start}.{key}": value for key, value in metrics.items()}


def overlaps(path: PurePath, others: Iterable[PurePath]) -> bool:
    """Tell whether a path is one of `others`, lies in one, or holds one."""
    return any(path.is_relative_to(other) or other.is_relative_to(path) for other in others)


def _looked_up(values: dict[str, Any], name: str) -> object:
    """Return the value at the dotted path `name`."""
    found: Any = values
    for key in name.split("."):
        found = found[key]
    return found
