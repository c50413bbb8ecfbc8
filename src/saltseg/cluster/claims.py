"""Claims of several processes to the same item, as of trials that share their trainings."""

from filelock import FileLock, Timeout

from saltseg.cluster.item_outputs import input_digest
from saltseg.plumbing.layout import Layout


class Claims:
    """The items that this process may run: one process at a time runs an item with given inputs.

    Whoever waits finds its outputs in DVC's run cache. A claim ends with its process.
    """

    def __init__(self, layout: Layout) -> None:
        """Claim items of this checkout, against all experiments of its main checkout."""
        self._root, self._folder = layout.root, layout.claims
        self._folder.mkdir(parents=True, exist_ok=True)
        self._locks: dict[str, FileLock] = {}

    def take(self, item: str) -> bool:
        """Claim an item, whose inputs must be there; return False while another process has it."""
        if item not in self._locks:
            file = self._folder / f"{input_digest(self._root, item)}.lock"
            self._locks[item] = FileLock(file, timeout=0)
        try:
            self._locks[item].acquire()
        except Timeout:
            return False
        return True

    def leave(self, item: str) -> None:
        """End the claim to an item."""
        self._locks[item].release(force=True)


def stages_here(layout: Layout) -> FileLock:
    """Return the lock under which stages run on this machine, one experiment at a time."""
    layout.stages_lock.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(layout.stages_lock)
