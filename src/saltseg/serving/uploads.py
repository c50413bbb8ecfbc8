"""The log of uploaded submissions: Kaggle's public and private score beside the nested score.

Kaggle knows a submission by its message, so the message ends with the start of the file's hash.
"""

import math
import re
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file, read_json, write_csv
from saltseg.plumbing.layout import Layout, check_project
from saltseg.plumbing.tables import table
from saltseg.serving.kaggle import list_submissions, send_submission

COLUMNS = (
    "time",
    "submission",
    "message",
    "score",
    "score_low",
    "score_high",
    "test_score",
    "status",
    "public_score",
    "private_score",
)
"""Columns of the log: when (UTC), the file's MD5, the message, the scores of the run that made the
file, and what Kaggle said when it was last asked."""

_SCORES = ("score", "public_score", "private_score")
_MARK = re.compile(r"\[([0-9a-f]{12})\]$")
_FEWEST = 3
"""Uploads from which on a correlation is told."""


def upload_submission(layout: Layout, message: str) -> str:
    """Check and upload the run's submission, note it in the log, and return the client's output.

    Raises InputError before the first run, for a damaged log or damaged scores, and as
    send_submission does; nothing is noted then.
    """
    folder = layout.data("submit")
    path = folder / "submission.csv"
    if not path.exists():
        check_project(layout.root)
        raise InputError(f"{path}: no run has made it yet; run 'dvc repro'")
    # All is read first: what is damaged must not cost one of the day's submissions.
    known = read_log(layout)
    scores = read_json(layout.score) if layout.score.exists() else {}
    digest = hash_file(path)
    marked = f"{message} [{digest[:12]}]"
    said = send_submission(path, folder / "sample_submission.csv", marked)
    line: dict[str, Any] = {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "submission": digest,
        "message": message,
        **scores,
    }
    write_csv(layout.uploads, pd.DataFrame([*known.to_dict("records"), line], columns=COLUMNS))
    return said


def read_log(layout: Layout) -> pd.DataFrame:
    """Return the log, one line per upload, the oldest first; an empty table without one.

    Raises InputError if it is damaged.
    """
    if not layout.uploads.exists():
        return pd.DataFrame(columns=COLUMNS)
    try:
        log = pd.read_csv(layout.uploads, dtype=dict.fromkeys(COLUMNS[:3], str))
    except (ValueError, OSError) as error:
        raise InputError(f"{layout.uploads}: cannot be read ({error}); restore it") from error
    if list(log.columns) != list(COLUMNS):
        raise InputError(f"{layout.uploads}: its columns are not {','.join(COLUMNS)}; restore it")
    return log


def refresh_log(layout: Layout) -> pd.DataFrame:
    """Ask Kaggle for the scores of the uploads, write them into the log, and return it.

    Of a file that was uploaded more than once, each line gets the latest answer. Raises InputError
    if Kaggle cannot be asked.
    """
    log = read_log(layout)
    answers: dict[str, dict[str, str]] = {}
    for answer in list_submissions():  # the latest first
        named = _MARK.search(answer.get("description", "").strip())
        if named:
            answers.setdefault(named[1], answer)
    told = [answers.get(digest[:12], {}) for digest in log["submission"]]
    status = [each.get("status", "").rpartition(".")[2].lower() or None for each in told]
    log["status"] = pd.Series(status, dtype=object).where(pd.notna(status), log["status"])
    for name, theirs in (("public_score", "publicScore"), ("private_score", "privateScore")):
        given = pd.to_numeric(pd.Series([each.get(theirs) for each in told]), errors="coerce")
        log[name] = given.where(given.notna(), log[name])
    write_csv(layout.uploads, log)
    return read_log(layout)


def describe_log(log: pd.DataFrame) -> str:
    """Return the log as a table, and how far nested and Kaggle's scores rank uploads alike."""
    if log.empty:
        return "nothing has been uploaded yet: saltseg upload --message WORDS"
    heads = ["time", "message", "nested score", "public", "private", "status"]
    lines: list[dict[str, Any]] = log.astype(object).to_dict("records")  # type: ignore[assignment]
    rows = [
        [
            *(str(line[name]) for name in ("time", "message")),
            *(_number(line[name]) for name in _SCORES),
            line["status"] if isinstance(line["status"], str) else "-",
        ]
        for line in lines
    ]
    ranks = (_correlation(log, name) for name in _SCORES[1:])
    return "\n".join([table(heads, rows), *(each for each in ranks if each)])


def _correlation(log: pd.DataFrame, name: str) -> str:
    """Return Spearman's rank correlation of a score of Kaggle with the nested one."""
    pairs = log.drop_duplicates("submission", keep="last")[["score", name]].dropna()
    if len(pairs) < _FEWEST or (pairs.nunique() < 2).any():
        return ""
    found = float(pairs["score"].corr(pairs[name], method="spearman"))
    shown = name.replace("_", " ")
    return f"nested score and {shown}: rank correlation {found:.2f} over {len(pairs)} submissions"


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) and math.isfinite(value) else "-"
