import pytest

from saltseg.plumbing.progress import progress


def test_a_log_has_a_line_every_ten_seconds_and_one_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = 100.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    for item in progress(range(1000, 1050), "crops", total=50):
        clock += 1 if item < 1049 else 0.7
        if item == 1048:
            said_before_the_end = capsys.readouterr().err
    assert said_before_the_end.splitlines() == [
        f"crops: {done} of 50, {done} s, 1/s, {50 - done} s left" for done in (10, 20, 30, 40)
    ]
    assert capsys.readouterr().err == "crops: 50 done in 50 s\n"


def test_a_work_that_ends_early_tells_of_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress("ab", "epochs", total=5)) == ["a", "b"]
    assert capsys.readouterr().err == "epochs: 2 done in 0 s\n"
