"""Handing submissions to Kaggle with its official client."""

import shutil
import subprocess
import sys
from pathlib import Path

from saltseg.crops.tgs.folder import COMPETITION
from saltseg.plumbing.errors import InputError
from saltseg.scoring.submission import check_submission


def send_submission(path: Path, sample: Path, message: str) -> str:
    """Check a submission, hand it to Kaggle with the official client, return what that says.

    Raises InputError that says what to do where the client is missing or refuses.
    """
    check_submission(path, sample)
    beside = Path(sys.executable).parent
    client = shutil.which("kaggle", path=str(beside)) or shutil.which("kaggle")
    if client is None:
        raise InputError(
            "kaggle: the client is not installed; run"
            f" {beside / 'python'} -m pip install kaggle, or send {path} at"
            f" https://www.kaggle.com/c/{COMPETITION}/submit"
        )
    command = [client, "competitions", "submit", "-c", COMPETITION, "-f", str(path), "-m", message]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        reason = said.splitlines()[-1] if said else f"exit code {done.returncode}"
        raise InputError(
            f"kaggle: did not take {path} ({reason}); create a token at"
            " https://www.kaggle.com/settings and save it as ~/.kaggle/kaggle.json, accept the"
            f" rules at https://www.kaggle.com/c/{COMPETITION}/rules, and try again"
        )
    return said
