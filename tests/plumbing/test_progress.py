import pytest

from saltseg.plumbing.progress import counted, progress


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


def test_a_slow_start_does_not_foretell_hours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = 100.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    for item in progress(range(1000), "crops", total=1000):
        clock += 15 if item == 0 else 0.125
        if item == 90:
            break
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["crops: 1 of 1,000, 15 s", "crops: 81 of 1,000, 25 s, 8/s, 2 min left"]


def test_a_work_that_ends_early_tells_of_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress("ab", "epochs", total=5)) == ["a", "b"]
    assert capsys.readouterr().err == "epochs: 2 done in 0 s\n"


def test_what_is_said_is_a_line_of_the_log_with_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = 100.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    with counted("fold 0", total=6) as count:
        for step in range(6):
            clock += 4
            count.one()
            if step % 2:
                count.say(f"epoch {step // 2 + 1} of 3: loss 0.5")
    assert capsys.readouterr().err.splitlines() == [
        "fold 0: epoch 1 of 3: loss 0.5, 16 s left",
        "fold 0: epoch 2 of 3: loss 0.5, 8 s left",
        "fold 0: epoch 3 of 3: loss 0.5",
        "fold 0: 6 done in 24 s",
    ]


def test_on_a_terminal_it_stands_beside_the_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with counted("fold 0", total=2) as count:
        count.one()
        count.say("epoch 1 of 2: loss 0.5")
    said = capsys.readouterr().err
    assert "50%" in said and "epoch 1 of 2: loss 0.5" in said and "\n" not in said
