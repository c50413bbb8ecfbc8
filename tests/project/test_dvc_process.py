"""What becomes of dvc when the process that started it is told to end."""

import signal
from collections.abc import Iterator

import pytest

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
