"""Sampling sections until the train and test crops of a survey are complete."""

from collections.abc import Iterator
from functools import partial
from itertools import count

from saltseg.plumbing.memory import keep_freed_memory
from saltseg.plumbing.progress import progress
from saltseg.survey.quotas import Split
from saltseg.survey.tiles import Tile, cut_tiles
from saltseg.survey.workers import prefetched


def collect(
    train: int, test: int, seed: int, workers: int, style: str = "default"
) -> tuple[Split, Split]:
    """Fill both splits from consecutive sections; no section contributes to both."""
    train_split, test_split = Split(train, label_noise=True), Split(test, label_noise=False)
    tiles = _taken(train_split, test_split, test / (train + test), _sections(seed, workers, style))
    for _ in progress(tiles, "crops of the survey", train + test):
        pass
    return train_split, test_split


def _taken(
    train: Split, test: Split, test_share: float, sections: Iterator[list[Tile]]
) -> Iterator[Tile]:
    """Yield each tile that a split takes, until both are full.

    The section's number decides which split it goes to, in proportion to their sizes.
    """
    for number, tiles in enumerate(sections):
        tests_turn = int((number + 1) * test_share) > int(number * test_share)
        split = test if train.full or (tests_turn and not test.full) else train
        yield from split.take(tiles)
        if train.full and test.full:
            return


def _sections(seed: int, workers: int, style: str) -> Iterator[list[Tile]]:
    """Yield the tiles of consecutive sections, prefetched by `workers` processes."""
    cut = partial(cut_tiles, seed, style)
    if workers < 2:
        keep_freed_memory()
        yield from map(cut, count())
        return
    yield from prefetched(cut, count(), workers, ahead=2 * workers)
