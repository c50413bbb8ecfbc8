"""Two checkouts in which the whole tiny pipeline has run."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from saltseg.tracking import wait_for_recorders
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout, make_checkout


def twins_in(folder: Path) -> tuple[Checkout, Checkout]:
    """Return the twins in `folder`, which make_twins has made."""
    return Checkout(folder / "in_sequence"), Checkout(folder / "side_by_side")


def make_twins(folder: Path) -> None:
    """Run the pipeline in both at once, with other numbers of workers and in another order."""
    in_sequence, side_by_side = twins_in(folder)
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
