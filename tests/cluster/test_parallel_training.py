"""`saltseg train` on a small pipeline of its own, with the real DVC."""

import shutil
import signal
import time
from functools import partial
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
import yaml

from saltseg.cluster.matrix import read_matrix, reproduce_stages
from saltseg.cluster.parallel_training import divide_machine
from saltseg.config.params import Params
from saltseg.plumbing.errors import InputError
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout

STAGES = """
stages:
  prepare:
    cmd: echo whole > prepared
    outs: [prepared]
  label:
    matrix: {fold: "${train_per_fold.folds}"}
    cmd: COMMAND
    deps: [prepared]
    outs: ["labels/${item.fold}"]
  train:
    matrix: {member: "${train_per_fold.members}", fold: "${train_per_fold.folds}"}
    cmd: cat labels/${item.fold} > models/${item.member}-${item.fold}
    deps: ["labels/${item.fold}"]
    outs: ["models/${item.member}-${item.fold}"]
  gather:
    cmd: cat models/* > gathered
    deps: [models]
    outs: [gathered]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def write_pipeline(checkout: Checkout, label: str) -> None:
    """Make a repository whose stage `label` runs the command `label`."""
    content = shrunk_content()
    content["train_per_fold"]["members"] = ["class_unet", "lite0"]
    (checkout.root / "params.yaml").write_text(yaml.safe_dump(content))
    (checkout.root / "dvc.yaml").write_text(STAGES.replace("COMMAND", label))
    for folder in ("labels", "models"):
        (checkout.root / folder).mkdir()
    checkout.succeed("git", "init", "--quiet")
    checkout.succeed("dvc", "init", "--quiet")


def test_each_item_waits_for_what_it_needs(checkout: Checkout) -> None:
    write_pipeline(checkout, "cp prepared labels/${item.fold}")
    matrix = read_matrix(checkout.root)
    assert matrix.above == ["prepare"]
    assert matrix.items["train@lite0-1"] == {"label@1"}
    assert len(matrix.items) == 6 and not matrix.items["label@0"]


def test_without_a_repository_the_remedy_is_named(checkout: Checkout) -> None:
    (checkout.root / "dvc.yaml").write_text("stages: {}\n")
    (checkout.root / ".dvc").mkdir()
    with pytest.raises(
        InputError, match=r"is not a git repository \('Download ZIP' makes none\); clone"
    ):
        read_matrix(checkout.root)


@pytest.mark.parametrize(("targets", "command"), [([], "repro"), (["label@0"], "repro label@0")])
def test_the_command_that_failed_is_named(
    checkout: Checkout, targets: list[str], command: str
) -> None:
    write_pipeline(checkout, "false")
    with pytest.raises(InputError, match=f"^dvc {command} failed; see its output above"):
        reproduce_stages(checkout.root, targets)


def test_a_failed_item_is_named_with_its_log_and_the_others_are_finished(
    checkout: Checkout,
) -> None:
    write_pipeline(checkout, "test ${item.fold} = 0 && cp prepared labels/${item.fold}")
    done = checkout.run("saltseg", "train", "--jobs", "3")
    assert done.returncode == 1
    assert "label@1 (tmp/logs/label@1.log) failed" in done.stderr
    assert "train@class_unet-1, train@lite0-1 skipped" in done.stderr
    assert "Traceback" not in done.stderr
    assert "failed to run" in (checkout.root / "tmp/logs/label@1.log").read_text()
    assert {path.name for path in (checkout.root / "models").glob("*-*")} == {
        "class_unet-0",
        "lite0-0",
    }
    assert not (checkout.root / "gathered").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "at_start"),
    [(signal.SIGINT, signal.SIG_DFL), (signal.SIGTERM, signal.SIG_IGN)],
)
def test_an_interrupt_reaches_every_job(
    checkout: Checkout, number: signal.Signals, at_start: signal.Handlers
) -> None:
    """Also in the background of a script, which has its children ignore SIGINT from the start."""
    write_pipeline(checkout, "python -c 'import time; time.sleep(600)' ${item.fold}")
    command = [shutil.which("saltseg") or "saltseg", "train", "--jobs", "2"]
    process = Popen(
        command, cwd=checkout.root, stdout=PIPE, stderr=PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, at_start),
    )  # fmt: skip
    logs = [checkout.root / f"tmp/logs/label@{fold}.log" for fold in (0, 1)]
    for _ in range(600):
        if all(log.exists() and "> python" in log.read_text() for log in logs):
            break
        time.sleep(0.1)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and said.splitlines()[-1] == "saltseg: interrupted"
    assert all("failed to run" in log.read_text() for log in logs)


def on_device(params: Params, accelerator: str, threads: int) -> Params:
    changed = {"accelerator": accelerator, "threads": threads}
    return params.model_copy(update={"runtime": params.runtime.model_copy(update=changed)})


def test_each_cpu_job_has_its_share_of_the_threads(shrunk_params: Params) -> None:
    three = [{"OMP_NUM_THREADS": "3"}]
    assert divide_machine(on_device(shrunk_params, "cpu", 3), 2) == three * 2
    assert len(divide_machine(on_device(shrunk_params, "cpu", 10_000), None)) == 1


def test_one_gpu_of_apple_has_one_job_at_a_time(shrunk_params: Params) -> None:
    params = on_device(shrunk_params, "mps", 1)
    assert divide_machine(params, None) == [{"OMP_NUM_THREADS": "1"}]
    assert len(divide_machine(params, 2)) == 2


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "1.5"])
def test_a_wrong_number_of_jobs_is_wrong_usage(checkout: Checkout, jobs: str) -> None:
    done = checkout.run("saltseg", "train", f"--jobs={jobs}")
    assert done.returncode == 2 and "give auto or a number" in done.stderr
