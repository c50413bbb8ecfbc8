"""A process that deals out pieces whose answers are larger together than all object stores.

    python -m tests.helpers.large_answers ADDRESS FOLDER

Prints, for each piece that is done, how many are done and how many were begun, in JSON.
"""

import json
import sys
import time
from pathlib import Path

from saltseg.cluster.dealing import Dealer
from saltseg.cluster.node import packed
from saltseg.cluster.ray_cluster import Share, connected

PIECES, ANSWER = 12, 30_000_000
"""Four answers in flight are 120 MB, and a store of the tests holds 80 MB."""

_SLOW = 0.3
"""Seconds that this process takes for a piece: actors have the time to run ahead."""


class Loud:
    """An actor whose answers are large; each piece that it begins leaves a file."""

    def __init__(self, folder: str) -> None:
        """Take the folder of these files."""
        self._folder = folder

    def ready(self) -> bytes:
        """Answer that it is there."""
        return packed(kind="done")

    def work(self, piece: int) -> bytes:
        """Answer at length."""
        Path(self._folder, str(piece)).touch(exist_ok=False)
        return packed(kind="done", padding="x" * ANSWER)


def main(address: str, folder: str) -> None:
    """Deal all pieces out."""
    with connected(address) as cluster:
        dealer = Dealer(cluster, Share(cpus=1), Loud, (folder,))
        for done, piece in enumerate(dealer.deal(range(PIECES)), 1):
            time.sleep(_SLOW)
            begun = len([*Path(folder).iterdir()])
            print(json.dumps({"piece": piece, "done": done, "begun": begun}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
