"""Uploading submissions to Kaggle with its official client."""

import csv
import io
import subprocess
import sys
from pathlib import Path

from saltseg.crops.tgs.folder import COMPETITION
from saltseg.plumbing.errors import InputError
from saltseg.project.kaggle_client import kaggle_client
from saltseg.scoring.submission import check_submission

_COMMAND, _WHERE = ("competitions",), ("-c", COMPETITION)


def send_submission(path: Path, sample: Path, message: str) -> str:
    """Check a submission, upload it with the official client, and return the client's output.

    Raises InputError if the client is missing or fails.
    """
    check_submission(path, sample)
    client = _client(f"send {path} at https://www.kaggle.com/c/{COMPETITION}/submit")
    return _answer([client, *_COMMAND, "submit", *_WHERE, "-f", str(path), "-m", message])


def list_submissions() -> list[dict[str, str]]:
    """Ask Kaggle for the user's submissions, the latest first, each by the names of its columns.

    They are fileName, date, description, status, publicScore, privateScore, and others. Raises
    InputError if the client is missing or fails, or if its answer is no such table.
    """
    client = _client(f"look at https://www.kaggle.com/c/{COMPETITION}/submissions")
    said = _answer([client, *_COMMAND, "submissions", *_WHERE, "--csv"])
    lines = said.splitlines()  # the client may write of a newer version first
    start = next((at for at, line in enumerate(lines) if "publicScore" in line.split(",")), None)
    if start is None:
        raise InputError(f"kaggle: its list of submissions has no publicScore: {said[:80]!r}")
    return list(csv.DictReader(io.StringIO("\n".join(lines[start:]))))


def _client(instead: str) -> str:
    """Return the official client's path. instead: what to do without it."""
    client = kaggle_client()
    if client is None:
        python = Path(sys.executable).with_name("python")
        raise InputError(
            f"kaggle: the client is not installed; run {python} -m pip install kaggle, or {instead}"
        )
    return client


def _answer(command: list[str]) -> str:
    """Run the client and return what it says. Raises InputError if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        reason = said.splitlines()[-1] if said else f"exit code {done.returncode}"
        raise InputError(
            f"kaggle: {command[2]} failed ({reason}); create a token at"
            " https://www.kaggle.com/settings and save it as ~/.kaggle/kaggle.json, accept the"
            f" rules at https://www.kaggle.com/c/{COMPETITION}/rules, and try again"
        )
    return said
