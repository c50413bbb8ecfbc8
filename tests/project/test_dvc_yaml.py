"""dvc.yaml says what the code does: its dependencies on modules and on parameters are the real."""

import re
from typing import Any

import pytest
import yaml

from saltseg.config.sections import CHANGES_NOTHING
from saltseg.plumbing.modules import determining_modules
from saltseg.project.stage_dependencies import rewritten
from tests.conftest import PROJECT

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]


def test_the_lists_of_modules_are_those_that_the_scripts_import() -> None:
    assert (PROJECT / "dvc.yaml").read_text() == rewritten(PROJECT), "run make deps"


def test_submit_depends_on_everything_that_its_manifest_hashes() -> None:
    assert {"src/saltseg", "stages", "requirements.lock", "models"} <= set(STAGES["submit"]["deps"])
    tracked = {param.partition(".")[0] for param in STAGES["submit"]["params"]}
    assert tracked == set(sections())


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_its_script_and_writes_its_results(name: str) -> None:
    stage = STAGES[name]
    assert stage["cmd"].startswith(f"PYTHONPATH=src python stages/{name.replace('-', '_')}.py")
    (result,) = (path for path in stage["outs"] if path.endswith(".json"))
    assert result.startswith(f"results/{name}")


def test_the_score_is_all_that_dvc_calls_metrics() -> None:
    """Each number in a metrics file is a column of `dvc exp show`."""
    named = {name: stage["metrics"] for name, stage in STAGES.items() if "metrics" in stage}
    assert named == {"submit": [{"results/score.json": {"cache": False}}]}


@pytest.mark.parametrize("name", STAGES)
def test_dvc_keeps_what_a_stage_did_in_its_run_cache(name: str) -> None:
    """Only metrics and plots may lie outside the cache: any other such output turns it off."""
    assert all(isinstance(entry, str) for entry in STAGES[name]["outs"])


@pytest.mark.parametrize("name", ["pseudolabel", "train-per-fold", "snapshot-ensemble"])
def test_a_changed_colour_reruns_no_stage_with_networks(name: str) -> None:
    script = PROJECT / "stages" / (name.replace("-", "_") + ".py")
    drawing = {"palette", "panels", "figures", "charts", "contact_sheet", "pseudolabel_figure"}
    paths = determining_modules(script, PROJECT / "src/saltseg")
    assert not drawing & {path.stem for path in paths}


def test_every_picture_of_dvc_s_page_has_a_title() -> None:
    page = (PROJECT / ".dvc/plots/page.html").read_text()
    titled = re.findall(r'^ +"([a-z/_-]+(?:\.png)?)": "', page, re.MULTILINE)
    plots = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["plots"]
    pictures = [each.removeprefix("results/plots/") for each in plots if isinstance(each, str)]
    for picture in pictures:
        assert any(title.startswith(picture) for title in titled), picture


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_tracks_the_sections_that_its_modules_read(name: str) -> None:
    script = PROJECT / "stages" / (name.replace("-", "_") + ".py")
    checks_all = PROJECT / "src/saltseg/config/params.py"  # every section, for every stage
    paths = determining_modules(script, PROJECT / "src/saltseg")
    text = "".join(path.read_text() for path in [script, *paths] if path != checks_all)
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
