"""What becomes of dvc when the process that started it is told to end."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from saltseg.project.dvc_process import interrupt_when_told

ENDS = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDS)
def test_an_end_is_taken_for_ctrl_c(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    interrupt_when_told()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_what_nohup_started_outlives_its_terminal() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupt_when_told()
    signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.slow
def test_dvc_and_its_stage_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    for making in (["git", "init", "--quiet"], [sys.executable, "-m", "dvc", "init", "--quiet"]):
        subprocess.run(making, cwd=tmp_path, check=True)
    stage = {"cmd": "echo $$ > begun; exec sleep 600", "outs": ["never"]}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"long": stage}}))
    script = (
        "import os; from pathlib import Path; from saltseg.project.dvc_process import run_dvc;"
        " run_dvc(Path(), ['repro'], os.environ)"
    )
    command = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path)
    begun = tmp_path / "begun"
    while command.poll() is None and not (begun.exists() and begun.read_text().endswith("\n")):
        time.sleep(0.05)
    below = [psutil.Process(int(begun.read_text())), *psutil.Process(command.pid).children()]
    command.kill()
    command.wait()
    assert psutil.wait_procs(below, timeout=60)[1] == []
