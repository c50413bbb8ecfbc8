"""dvc.yaml says what the code does: its dependencies on modules and on parameters are the real."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from saltseg.config.params import CHANGES_NOTHING
from tests.conftest import PROJECT

PLUMBING = {"__init__", "errors", "layout", "memory", "processes", "progress", "tracking"}
"""Modules whose changes change no result; the head of dvc.yaml names them."""

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of saltseg that a file imports, at its top or inside of a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def source(module: str) -> Path | None:
    """Return the file of a module of saltseg."""
    if module.partition(".")[0] != "saltseg":
        return None
    path = PROJECT.joinpath("src", *module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def closure(script: Path) -> set[Path]:
    """Return the files of all modules of saltseg that a script imports, directly or not."""
    seen: set[Path] = set()
    to_read = [script]
    while to_read:
        found = {source(module) for module in imported(to_read.pop())} - {None}
        to_read += [path for path in found if path is not None and path not in seen]
        seen |= {path for path in found if path is not None}
    return seen


def determining(script: Path) -> set[str]:
    """Return the dependencies on code: modules of the package's top, and its folders whole."""
    names = {path.relative_to(PROJECT / "src/saltseg").parts[0] for path in closure(script)}
    kept = {name for name in names if name.removesuffix(".py") not in PLUMBING}
    return {f"src/saltseg/{name}" for name in kept} | {f"stages/{script.name}"}


@pytest.mark.parametrize("name", [name for name in STAGES if name != "submit"])
def test_a_stage_depends_on_the_modules_that_determine_it(name: str) -> None:
    script = PROJECT / "stages" / (name.replace("-", "_") + ".py")
    code = {dep for dep in STAGES[name]["deps"] if dep.startswith(("src/", "stages/"))}
    assert code == determining(script)


def test_submit_depends_on_everything_that_its_manifest_hashes() -> None:
    assert {"src/saltseg", "stages", "requirements.lock", "models"} <= set(STAGES["submit"]["deps"])
    tracked = {param.partition(".")[0] for param in STAGES["submit"]["params"]}
    assert tracked == set(sections())


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_its_script_and_writes_its_metrics(name: str) -> None:
    stage = STAGES[name]
    assert stage["cmd"].startswith(f"PYTHONPATH=src python stages/{name.replace('-', '_')}.py")
    (metrics,) = (path for entry in stage["metrics"] for path in entry)
    assert metrics.startswith(f"results/{name}")


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_tracks_the_sections_that_its_modules_read(name: str) -> None:
    script = PROJECT / "stages" / (name.replace("-", "_") + ".py")
    left_out = PLUMBING | {"params"}  # which checks every section for all stages
    text = script.read_text() + "".join(
        path.read_text() for path in closure(script) if path.stem not in left_out
    )
    read = set(re.findall(r"\bparams\.([a-z_]+)", text)) & set(sections())
    tracked = {param.partition(".")[0] for param in STAGES[name]["params"]}
    assert read - {"runtime"} <= tracked


def sections() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROJECT / "params.yaml").read_text())
    return content


def test_no_stage_tracks_what_changes_no_result() -> None:
    tracked = {param for stage in STAGES.values() for param in stage["params"]}
    assert not {"runtime", *(f"runtime.{name}" for name in CHANGES_NOTHING)} & tracked


def test_the_gathering_stage_tracks_the_lists_of_members_and_folds() -> None:
    assert "train_per_fold" in STAGES["snapshot-ensemble"]["params"]


def test_the_nine_stages_stand_in_their_order() -> None:
    assert list(STAGES) == [
        "ingest",
        "coverage-stratify",
        "fold-split",
        "pseudolabel",
        "train-per-fold",
        "snapshot-ensemble",
        "threshold-search",
        "postprocess-connected-components",
        "submit",
    ]
