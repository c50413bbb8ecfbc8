from pathlib import Path

import numpy as np
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.scoring.submission import write_sample, write_submission
from saltseg.serving.kaggle import send_submission


def test_upload_runs_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sample = tmp_path / "submission.csv", tmp_path / "sample.csv"
    write_sample(sample, ["b2", "a1"])
    write_submission(path, sample, ["b2", "a1"], np.zeros((2, 101, 101), bool))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(InputError, match="-m pip install kaggle"):
        send_submission(path, sample, "first")
    client = tmp_path / "bin" / "kaggle"
    client.parent.mkdir()
    client.write_text('#!/bin/sh\necho "$@"\n')
    client.chmod(0o755)
    assert send_submission(path, sample, "first try") == (
        f"competitions submit -c tgs-salt-identification-challenge -f {path} -m first try"
    )
    client.write_text("#!/bin/sh\necho 401 >&2\nexit 1\n")
    with pytest.raises(InputError, match=r"\(401\); create a token"):
        send_submission(path, sample, "second")
