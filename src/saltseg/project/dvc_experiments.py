"""DVC's experiments: commits under refs/exps that are on no branch."""

import re
from dataclasses import dataclass
from pathlib import Path

from saltseg.project.git import git

_REFERENCE = re.compile(r"refs/exps/(?P<start>\w{2})/(?P<rest>\w{38})/(?P<name>.+)")


@dataclass(frozen=True)
class Experiment:
    """A finished experiment of DVC."""

    name: str
    baseline: str
    """Hash of the commit it started from."""
    revision: str
    """Hash of the experiment's own commit."""
    made: int
    """Time of that commit, milliseconds since 1970."""


def list_experiments(root: Path) -> list[Experiment]:
    """Return the experiments of the repository at `root`, the oldest first.

    Raises InputError if git cannot be asked.
    """
    form = "--format=%(objectname) %(committerdate:unix) %(refname)"
    listed = git(root, "for-each-ref", "--sort=committerdate", form, "refs/exps").decode()
    found = []
    for line in listed.splitlines():
        revision, seconds, reference = line.split(" ", 2)
        named = _REFERENCE.fullmatch(reference)
        if named:  # skip DVC's internal refs, such as refs/exps/stash
            baseline = named["start"] + named["rest"]
            found.append(Experiment(named["name"], baseline, revision, int(seconds) * 1000))
    return found
