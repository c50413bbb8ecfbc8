"""Two checkouts in which the whole tiny pipeline has run, made once for all processes of a test."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock

from saltseg.tracking import wait_for_recorders
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout, make_checkout


def make_twins(folder: Path) -> tuple[Checkout, Checkout]:
    """Return the twins in `folder`; the first process that asks makes them."""
    twins = Checkout(folder / "in_sequence"), Checkout(folder / "side_by_side")
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "done").exists():
            _run(*twins)
            (folder / "done").touch()
    return twins


def _run(in_sequence: Checkout, side_by_side: Checkout) -> None:
    """Run the pipeline in both at once, with other numbers of workers and in another order."""
    for workers, checkout in enumerate((in_sequence, side_by_side)):
        content = shrunk_content()
        content["runtime"]["workers"] = 2 * workers
        make_checkout(checkout.root, content)
    with ThreadPoolExecutor() as pool:
        one = pool.submit(in_sequence.succeed, "dvc", "repro")
        other = pool.submit(side_by_side.succeed, "saltseg", "train", "--jobs", "2")
        assert one.result() and other.result()
    for checkout in (in_sequence, side_by_side):
        wait_for_recorders(checkout.root / "mlruns")
