"""What a report says of one run, gathered from the files that its stages left.

Facts that two equal runs do not share, such as the time that a stage took, are not among them;
`saltseg.tracking` adds them to the report of a recorded run.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from saltseg.config.params import Params
from saltseg.config.sections import CHANGES_NOTHING
from saltseg.config.yaml_content import read_yaml
from saltseg.plumbing.files import read_json
from saltseg.plumbing.flat import flat_params
from saltseg.plumbing.layout import Layout
from saltseg.reports.crop_gallery import crop_gallery
from saltseg.reports.page import Facts

_CLEANING = "postprocess-connected-components"

_TABLES = {
    "coverage": "by_coverage.csv",
    "depth": "by_depth.csv",
    "mask": "by_mask.csv",
    "lost": "lost_by_mask.csv",
    "error": "by_error.csv",
}
"""Tables of the error report, and their files."""

_CHANGES_NOTHING = {f"runtime.{name}" for name in CHANGES_NOTHING}

_CURVE = ("epoch", "phase", "loss", "validation_bce", "validation_score")


def checkout_facts(layout: Layout, params: Params) -> Facts:
    """Return all facts of the run in a checkout whose submit stage has written its results.

    Raises InputError if a file of an earlier stage is missing.
    """
    stages = ("threshold-search", _CLEANING, "submit")
    results = {stage: read_json(layout.result(stage)) for stage in stages}
    results["score"] = read_json(layout.score)
    plots = layout.plots("threshold-search")
    return {
        **recorded_facts(results, _written(layout)),
        "history": list(_histories(layout, params)),
        "curve": _columns(pd.read_csv(plots / "curve.csv")),
        "reliability": _columns(pd.read_csv(plots / "reliability.csv", dtype={"calibrated": str})),
        "tables": {name: _table(layout.plots(_CLEANING) / file) for name, file in _TABLES.items()},
        "gallery": crop_gallery(layout),
        "hashes": _named_hashes(read_json(layout.data("submit") / "manifest.json")),
    }


def _written(layout: Layout) -> dict[str, Any]:
    """Return params.yaml as it is written, which is what a run records."""
    content = read_yaml(layout.params)
    return content if isinstance(content, dict) else {}


def recorded_facts(results: Mapping[str, Any], params: Mapping[str, Any]) -> Facts:
    """Return the facts that a run's metrics and parameters hold.

    results: contents of the metrics files by stage, and "score"; those of stages that did not run
    may be missing. params: the content of params.yaml; what changes no result is left out.
    """
    search, cleaned = results.get("threshold-search", {}), results.get(_CLEANING, {})
    return {
        "score": results.get("score", {}),
        "test": {
            name: value
            for name, value in results.get("submit", {}).items()
            if name.startswith("test_score")
        },
        "crops": cleaned.get("crops"),
        "search": search,
        "params": {
            name: value
            for name, value in flat_params(dict(params)).items()
            if name not in _CHANGES_NOTHING
        },
    }


def _histories(layout: Layout, params: Params) -> Iterator[Facts]:
    """Yield the epochs of each member and fold; models trained outside DVC have none."""
    for member in params.train_per_fold.members:
        for fold in params.train_per_fold.folds:
            path = layout.plots("train-per-fold", member, fold) / "history.csv"
            if path.exists():
                lines = pd.read_csv(path)
                known = [name for name in _CURVE if name in lines]
                yield {"member": member, "fold": fold, **_columns(lines[known])}


def _columns(table: pd.DataFrame) -> Facts:
    """Return a table by columns; None where a number is missing."""
    plain = table.astype(object).where(table.notna(), None)
    return {str(name): plain[name].tolist() for name in plain}


def _table(path: Path) -> Facts:
    """Return a table by its heads and lines."""
    columns = _columns(pd.read_csv(path))
    lines = [list(line) for line in zip(*columns.values(), strict=True)]
    return {"heads": list(columns), "lines": lines}


def _named_hashes(manifest: Mapping[str, Any]) -> dict[str, str]:
    return flat_params(dict(manifest))
