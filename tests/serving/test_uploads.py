"""The log of uploads, with a client of Kaggle that stands in for the real one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file, write_json
from saltseg.plumbing.layout import Layout
from saltseg.scoring.submission import write_sample, write_submission
from saltseg.serving.uploads import COLUMNS, describe_log, read_log, refresh_log, upload_submission

CLIENT = """#!/bin/sh
case "$2" in
submit) echo "$8" >> {folder}/messages; echo "Successfully submitted" ;;
*) cat {folder}/answer ;;
esac
"""


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    layout = Layout(tmp_path / "project")
    layout.data("submit").mkdir(parents=True)
    write_sample(layout.data("submit") / "sample_submission.csv", ["b2", "a1"])
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kaggle").write_text(CLIENT.format(folder=folder))
    (folder / "kaggle").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.chdir(layout.root.parent)
    return layout


def submit(layout: Layout, pixels: int, score: float, message: str) -> str:
    """Upload a submission of a run; return its hash."""
    masks = np.zeros((2, 101, 101), bool)
    masks[:, :pixels] = True
    folder = layout.data("submit")
    write_submission(
        folder / "submission.csv", folder / "sample_submission.csv", ["b2", "a1"], masks
    )
    write_json(layout.score, {"score": score, "score_low": score - 0.1, "score_high": score + 0.1})
    assert "Successfully" in upload_submission(layout, message)
    return hash_file(folder / "submission.csv")


def answer(tmp_path: Path, *lines: str) -> None:
    head = "fileName,date,description,status,publicScore,privateScore"
    text = "\n".join(["Warning: Looks like you're using an outdated API Version", head, *lines])
    (tmp_path / "bin/answer").write_text(text + "\n")


def test_kaggle_s_scores_stand_beside_the_nested(layout: Layout, tmp_path: Path) -> None:
    digests = [submit(layout, 10 * n, 0.7 + n / 100, f"try, {n}") for n in range(3)]
    sent = (tmp_path / "bin/messages").read_text().splitlines()
    assert sent == [f"try, {n} [{digest[:12]}]" for n, digest in enumerate(digests)]
    assert read_log(layout)["submission"].tolist() == digests
    marks = [f'"try, {n} [{digest[:12]}]"' for n, digest in enumerate(digests)]
    answer(
        tmp_path,
        f"submission.csv,2026-01-02,{marks[2]},SubmissionStatus.COMPLETE,0.71,0.73",
        "other.csv,2026-01-01,by hand,SubmissionStatus.COMPLETE,0.9,0.9",
        f"submission.csv,2026-01-01,{marks[0]},SubmissionStatus.COMPLETE,0.7,0.72",
        f"submission.csv,2026-01-01,{marks[1]},SubmissionStatus.PENDING,,",
    )
    log = refresh_log(layout)
    assert log["status"].tolist() == ["complete", "pending", "complete"]
    assert log["public_score"].tolist()[::2] == [0.7, 0.71] and pd.isna(log["public_score"][1])
    pd.testing.assert_frame_equal(read_log(layout), log)
    said = describe_log(log)
    assert "0.7200" in said and "rank correlation" not in said
    answer(tmp_path, f"a.csv,now,x [{digests[1][:12]}],SubmissionStatus.COMPLETE,0.5,0.5")
    said = describe_log(refresh_log(layout))
    assert "nested score and private score: rank correlation 0.50 over 3 submissions" in said
    assert read_log(layout)["private_score"].tolist() == [0.72, 0.5, 0.73]


def test_what_failed_is_not_in_the_log(layout: Layout, tmp_path: Path) -> None:
    submit(layout, 5, 0.5, "good")
    (tmp_path / "bin/kaggle").write_text("#!/bin/sh\necho 401 >&2\nexit 1\n")
    with pytest.raises(InputError, match=r"submit failed \(401\)"):
        upload_submission(layout, "bad")
    assert read_log(layout)["message"].tolist() == ["good"]
    with pytest.raises(InputError, match=r"submissions failed \(401\)"):
        refresh_log(layout)
    assert list(read_log(layout).columns) == list(COLUMNS)


def test_nothing_is_uploaded_that_could_not_be_noted(layout: Layout, tmp_path: Path) -> None:
    submit(layout, 5, 0.5, "good")
    for path in (layout.uploads, layout.score):
        content = path.read_text()
        path.write_text("<<<<<<< HEAD\n" + content)
        with pytest.raises(InputError, match=path.name):
            upload_submission(layout, "again")
        path.write_text(content)
    assert len((tmp_path / "bin/messages").read_text().splitlines()) == 1


def test_the_command_without_uploads_and_with_a_damaged_log(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(layout.root)
    assert "nothing has been uploaded yet" in CliRunner().invoke(app, ["uploads"]).output
    layout.uploads.parent.mkdir(exist_ok=True)
    layout.uploads.write_text("a,b\n1,2\n")
    done = CliRunner().invoke(app, ["uploads", "--offline"])
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "restore it" in done.output
