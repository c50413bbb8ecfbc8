"""Whether dvc came to its end, told from dvc.lock and its command line."""

from typing import Any

import pytest

from saltseg.project.pipeline import Pipeline
from saltseg.tracking.completeness import unfinished

DEFINITION = b"""
stages:
  ingest: {cmd: x}
  train-per-fold: {matrix: {member: "${m}", fold: [0, 1]}, cmd: x}
  snapshot-ensemble: {cmd: x}
"""
PIPELINE = Pipeline(DEFINITION, {"m": ["lite0"]})
REPRO = ["python", "/venv/bin/dvc", "repro"]


def lock(ingest: str = "1", models: str = "1", ensemble: str = "1") -> dict[str, Any]:
    """Return a finished dvc.lock; "" leaves a stage out."""

    def entry(out: str, digest: str, **deps: str) -> dict[str, Any]:
        read = [{"path": path.replace("_", "/"), "md5": md5} for path, md5 in deps.items()]
        return {"deps": read, "outs": [{"path": out, "md5": digest}]}

    stages = {"ingest": entry("data/ingest", ingest)}
    for fold in "01":
        stages[f"train-per-fold@lite0-{fold}"] = entry(
            f"models/lite0/{fold}", models, data_ingest=ingest
        )
    if ensemble:
        stages["snapshot-ensemble"] = entry("data/ensemble", ensemble, models=ensemble)
    return stages


@pytest.mark.parametrize(
    ("command", "before", "after", "left"),
    [
        (REPRO, {}, lock(), []),
        (REPRO, {}, {"ingest": lock()["ingest"]}, 3),
        (REPRO, {}, lock(ensemble=""), ["snapshot-ensemble"]),
        # New models below the ensemble's folder, and an ensemble of before.
        (REPRO, lock(), lock(models="2"), ["snapshot-ensemble"]),
        (REPRO, lock(), lock(models="2", ensemble="2"), []),
        # A new data/ingest that no training has read.
        (REPRO, lock(), lock() | {"ingest": lock("2")["ingest"]}, 2),
        ([*REPRO, "ingest"], {}, {"ingest": lock()["ingest"]}, []),
        ([*REPRO, "train-per-fold"], {}, lock(ensemble=""), []),
        ([*REPRO, "train-per-fold@lite0-0"], {}, {"ingest": lock()["ingest"]}, 1),
        ([*REPRO, "-s", "snapshot-ensemble"], {}, {}, ["snapshot-ensemble"]),
        ([*REPRO, "--glob", "train*"], {}, {}, []),
        (["python", "-m", "dvc", "repro"], {}, {}, 4),
        (["python", "/venv/bin/dvc", "exp", "run", "-S", "a=1"], {}, {}, 4),
        (["python", "/venv/bin/saltseg", "train"], {}, lock(ensemble=""), ["snapshot-ensemble"]),
        (["python", "stages/ingest.py"], {}, {}, []),
        ([], {}, {}, []),
    ],
)
def test_what_dvc_left_undone(
    command: list[str], before: dict[str, Any], after: dict[str, Any], left: list[str] | int
) -> None:
    found = unfinished(PIPELINE, command, before, after)
    assert found == left if isinstance(left, list) else len(found) == left
