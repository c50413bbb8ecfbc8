"""What dvc.yaml says about its stages: items, order and inputs."""

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
    """dvc.yaml, with the parameters for its templates."""

    def __init__(self, definition: bytes, params: dict[str, Any]) -> None:
        """Take the content of dvc.yaml."""
        self.params = params
        self.stages: dict[str, Any] = yaml.safe_load(definition)["stages"]

    def names(self) -> list[str]:
        """Return the stages' names in dvc.lock, in the order of dvc.yaml.

        An item of a matrix is named "STAGE@PART-PART".
        """
        return [
            "@".join([stage, "-".join(item)]) if item else stage
            for stage in self.stages
            for item in self.items(stage)
        ]

    def places(self, last: str | None = None) -> list[str]:
        """Return "STAGE" or "STAGE/PART/PART" for each item of the stages up to `last` (None: all).

        These are the paths of the items' files below results and results/plots.
        """
        stages = list(self.stages)
        if last in stages:
            stages = stages[: stages.index(last) + 1]
        return ["/".join([stage, *item]) for stage in stages for item in self.items(stage)]

    def metrics(self, results: Mapping[str, Any], before: str | None = None) -> dict[str, float]:
        """Return the metrics of all stages, or of those before `before`, as STAGE/ITEM/KEY.

        MLflow groups metrics by what stands before the last slash.
        The numbers of results/score.json come first, under their own names. They are left out if
        they are stale: a pipeline that ends before submit does not update them.

        results: contents of the metrics files by "STAGE" or "STAGE/PART/PART". Files left by
        members or folds that are no longer listed are ignored.
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
        """Return the subset of `outputs`, hashes by path, that `stage` reads."""
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
        """Return the items of `stage` with these parameters; [()] for a plain stage."""
        matrix = self.stages[stage].get("matrix", {})
        values = [self._listed(each) for each in matrix.values()]
        return [tuple(map(str, item)) for item in itertools.product(*values)]

    def _listed(self, values: str | list[Any]) -> list[Any]:
        """Return the list of a matrix, which may be given as a parameter: ${...}."""
        if isinstance(values, list):
            return values
        named = _VARIABLE.fullmatch(values)
        found = _looked_up(self.params, named[1]) if named else []
        return found if isinstance(found, list) else []

    def _filled(self, template: str, item: dict[str, str]) -> str:
        """Replace every ${...} with the value of the item or the parameter."""
        values = {**self.params, "item": item}
        return _VARIABLE.sub(lambda found: str(_looked_up(values, found[1])), template)


def _score(results: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of results/score.json if they belong to the current masks."""
    score: dict[str, Any] = results.get("score", {})
    cleaned = results.get("postprocess-connected-components", {})
    known = "score" in score and score["score"] == cleaned.get("score")
    return flat_metrics(score) if known else {}


def prefixed(metrics: dict[str, float], stage: str, item: Item) -> dict[str, float]:
    """Return a stage's metrics under their names in the parent run."""
    start = "/".join([stage, *item])
    return {f"{start}/{key}": value for key, value in metrics.items()}


def overlaps(path: PurePath, others: Iterable[PurePath]) -> bool:
    """Tell whether a path is one of `others`, is inside one, or contains one."""
    return any(path.is_relative_to(other) or other.is_relative_to(path) for other in others)


def _looked_up(values: dict[str, Any], name: str) -> object:
    """Return the value at the dotted path `name`."""
    found: Any = values
    for key in name.split("."):
        found = found[key]
    return found
