"""A recorded run, done again elsewhere and after something broke."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient

from saltseg.survey import SurveySet, write_kaggle_layout
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout, make_checkout
from tests.helpers.records import EMPTY_HANDED, table_of
from tests.reproduction.conftest import Recorded, flip_byte, run_of

pytestmark = pytest.mark.slow


"""A project whose one stage lists what Kaggle's files would be."""


def squeezed(said: str) -> str:
    """Put one space in place of the many that align columns."""
    return re.sub(" +", " ", said)


def test_a_run_is_reproduced_in_a_fresh_clone_with_an_empty_cache(
    recorded: Recorded, tmp_path: Path
) -> None:
    clone = Checkout(tmp_path / "clone")
    clone_of(recorded, clone.root)
    (tmp_path / "scratch").mkdir()
    store = f"sqlite:///{recorded.root}/mlruns/mlflow.db"
    runs = len(MlflowClient(store).search_runs(["1"]))
    elsewhere = {"MLFLOW_TRACKING_URI": store, "TMPDIR": str(tmp_path / "scratch")}
    done = clone.run("saltseg", "reproduce", recorded.run_id[:8], **elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = table_of(done.stdout)
    assert set(rows) == set(recorded.outputs())
    for path, (_, _, before, after, word) in rows.items():
        assert recorded.outputs()[path].startswith(before)
        assert (after, word) == (before, "same")
    assert done.stderr.count("Running stage") == 11
    # Nothing is logged twice, nothing is left behind, nothing in the clone has changed.
    assert len(MlflowClient(store).search_runs(["1"])) == runs
    assert not list((tmp_path / "scratch").glob("saltseg-reproduction-*"))
    assert clone.succeed("git", "status", "--porcelain") == ""


@pytest.mark.long
def test_what_is_in_the_remote_need_not_run_again(recorded: Recorded, tmp_path: Path) -> None:
    """In a checkout, too, that lies where another repository ignores it."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("/clone/\n")
    clone = Checkout(tmp_path / "clone")
    clone_of(recorded, clone.root)
    done = clone.run("saltseg", "reproduce", "HEAD", "--cached")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Running stage" not in done.stderr
    assert {row[4] for row in table_of(done.stdout).values()} == {"same"}


@pytest.mark.long
def test_a_run_of_a_dirty_tree_is_reproduced_with_its_patch(copy: Recorded) -> None:
    script = copy.root / "stages/threshold_search.py"
    script.write_text(script.read_text() + "# One more line.\n")
    (copy.root / "src/saltseg/unheard_of.py").write_text('"""A file that git does not know."""\n')
    copy.succeed("dvc", "repro")
    dirty = run_of(copy)
    assert dirty != copy.run_id
    copy.succeed("git", "checkout", "--quiet", "--", "stages", "dvc.lock", "results")
    (copy.root / "src/saltseg/unheard_of.py").unlink()

    done = copy.run("saltseg", "reproduce", dirty, "--from", "threshold-search")
    assert done.returncode == 0, done.stdout + done.stderr
    stages = {row[0] for row in table_of(done.stdout).values()}
    assert stages == {"threshold-search", "postprocess-connected-components", "submit"}

    said = copy.succeed("saltseg", "diff", copy.run_id, dirty)
    assert "stages/threshold_search.py changed, +1 -0" in squeezed(said)
    assert "src/saltseg/unheard_of.py added" in squeezed(said)
    assert "parameters: the same" in said and "data: the same" in said
    assert "environment: the same" in said
    part = "first differing stage:\nthreshold-search\n  its inputs: stages/threshold_search.py\n"
    assert part in said


@pytest.mark.long
def test_an_output_that_no_code_made_is_told_apart(copy: Recorded) -> None:
    submission = copy.root / "data/submit/submission.csv"
    submission.write_text(submission.read_text() + "\n")
    copy.succeed("dvc", "commit", "--force", "submit")
    copy.commit("A submission that was edited by hand")
    done = copy.run("saltseg", "reproduce", "HEAD", "--from", "submit")
    assert done.returncode == 1
    assert [row[1] for row in table_of(done.stdout).values() if row[4] == "DIFFERENT"] == [
        "data/submit"
    ]
    assert "data/submit: differs in submission.csv" in done.stdout
    assert "not recorded, so every byte must be the same" in done.stdout
    said = copy.succeed("saltseg", "diff", "HEAD~1", "HEAD")
    expected = "submit\n  nothing but its outputs: data/submit/submission.csv"
    assert f"first differing stage:\n{expected}\n" in said


@pytest.mark.long
def test_one_byte_of_a_model_in_the_cache_is_named(copy: Recorded) -> None:
    flip_byte(copy.cached("models/class_unet/1//snapshot_0.safetensors"))
    done = copy.run("saltseg", "verify", copy.run_id)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("models/class_unet/1/snapshot_0.safetensors (")
    assert line.endswith("is in the cache, but its bytes do not match its hash")
    for options in (("--from", "snapshot-ensemble"), ("--cached",)):
        again = copy.run("saltseg", "reproduce", copy.run_id, *options)
        assert (again.returncode, again.stdout) == (1, "")
        assert line in again.stderr and "Running stage" not in again.stderr


@pytest.mark.long
def test_one_byte_of_a_stage_script_is_named(copy: Recorded) -> None:
    script = copy.root / "stages/fold_split.py"
    script.write_text(script.read_text() + "\n")
    copy.commit("A change that nothing was run with")
    done = copy.run("saltseg", "verify", "HEAD")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "stages/fold_split.py differs from dvc.lock: fold-split ran with another version",
        "stages differs from dvc.lock: submit ran with another version; "
        "changed since: stages/fold_split.py",
    ]
    again = copy.run("saltseg", "reproduce", "HEAD")
    assert again.returncode == 1
    assert "stages/fold_split.py differs from dvc.lock: fold-split ran" in again.stderr
    said = copy.succeed("saltseg", "diff", copy.run_id, "HEAD")
    assert "code:\n" in said and "stages/fold_split.py changed, +1 -0" in squeezed(said)


@pytest.mark.long
def test_raw_data_come_from_the_remote_and_one_byte_of_them_is_named(
    tmp_path: Path, small_survey: SurveySet
) -> None:
    content = shrunk_content()
    content["ingest"] |= {"source": "tgs", "raw_dir": "data/kaggle"}
    project = make_checkout(tmp_path / "project", content)
    raw = project.root / "data/kaggle"
    write_kaggle_layout(raw, small_survey)
    shutil.rmtree(raw / "truth")
    project.succeed("dvc", "add", "data/kaggle")
    project.succeed("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    project.succeed("dvc", "repro", "ingest")
    project.commit("The first stage")
    project.succeed("dvc", "push")

    clone = Checkout(tmp_path / "clone")
    clone_of(project, clone.root)
    done = clone.run("saltseg", "reproduce", "HEAD")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(table_of(done.stdout)) == set(project.outputs())

    with (raw / "train.csv").open("a") as file:
        file.write("\n")
    project.succeed("dvc", "add", "data/kaggle")
    project.commit("Raw data that nothing was run with")
    wrong = "data/kaggle as ingest read it differs from what data/kaggle.dvc wrote"
    assert project.run("saltseg", "verify", "HEAD").stdout == wrong + "\n"
    assert wrong in project.run("saltseg", "reproduce", "HEAD").stderr

    project.succeed("dvc", "repro", "ingest")
    project.commit("And now something was")
    said = project.succeed("saltseg", "diff", "HEAD~2", "HEAD")
    assert "data:\n" in said and "data/kaggle/train.csv" in said
    assert "first differing stage:\ningest\n  its inputs: data/kaggle/train.csv\n" in said


def running_below(folder: Path) -> list[str]:
    """Return the commands that work in a folder, which may be gone; a recorder ends by itself."""
    found = psutil.process_iter(["cwd", "cmdline"])
    lines = [str(each.info["cmdline"]) for each in found if str(folder) in (each.info["cwd"] or "")]
    return [line for line in lines if "saltseg.tracking.recorder" not in line]


def heed_the_terminal() -> None:
    """Let a test that nohup started pass a closed terminal on."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_reproduction_leaves_nothing(
    recorded: Recorded, tmp_path: Path, number: signal.Signals
) -> None:
    command = [str(Path(sys.executable).with_name("saltseg")), "reproduce", "HEAD"]
    variables = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=recorded.root, env=variables, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True, preexec_fn=heed_the_terminal,
    ) as process:  # fmt: skip
        assert process.stdout
        for line in process.stdout:
            if "Running stage" in line:
                break
        process.send_signal(number)
        process.stdout.read()
    assert process.returncode == 130
    assert not list(tmp_path.glob("saltseg-reproduction-*"))
    assert not running_below(tmp_path)


def clone_of(checkout: Checkout, folder: Path) -> None:
    """Clone what git has of a checkout, and name its remote, which may be a relative path."""
    checkout.succeed("git", "clone", "--quiet", str(checkout.root), str(folder))
    remote = checkout.succeed("dvc", "remote", "list").split()[1]
    Checkout(folder).succeed(
        "dvc", "remote", "add", "--local", "--default", "--force", "shared", remote
    )


def test_what_a_run_read_empty_is_not_filled_from_the_checkout(tmp_path: Path) -> None:
    project = Checkout(tmp_path / "project")
    (project.root / "data/raw").mkdir(parents=True)
    for name, content in EMPTY_HANDED.items():
        (project.root / name).write_text(content)
    project.succeed("git", "init", "--quiet")
    project.succeed("dvc", "init", "--quiet")
    (project.root / ".dvcignore").write_text(".gitignore\n")
    project.succeed("dvc", "repro")
    project.commit("A run without raw data")
    (project.root / "data/raw/train.csv").write_text("id\n")
    done = project.run("saltseg", "reproduce", "HEAD")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(table_of(done.stdout)) == {"listed", "results/ingest.json"}
