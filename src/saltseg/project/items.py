"""The item of a matrix stage that a script runs, from dvc or from the command line."""

import argparse
import os
from collections.abc import Mapping

from saltseg.config.schema import ALL, Fold
from saltseg.plumbing.errors import InputError


def stage_item(stage: str, description: str, parts: Mapping[str, str]) -> list[str]:
    """Return the parts of the item, such as ["lite0", "0"], from the arguments or from DVC_STAGE.

    dvc.yaml passes no arguments, because values from params.yaml must not reach a shell. dvc sets
    DVC_STAGE to the item that it runs, for example "train-per-fold@lite0-0".

    parts: description of each part by name. Raises InputError if neither source names an item.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, meaning in parts.items():
        parser.add_argument(name, nargs="?", help=meaning)
    given = [value for value in vars(parser.parse_args()).values() if value is not None]
    item = given or _item_of_dvc(stage)
    if len(item) != len(parts):
        raise InputError(f"{stage}: {' '.join(item)!r} is not an item; give {' and '.join(parts)}")
    return item


def read_fold(text: str) -> Fold:
    """Return the number of a fold, or ALL. Raises InputError if `text` is neither."""
    if text == ALL:
        return ALL
    if not (text.isascii() and text.isdecimal()):
        raise InputError(f"fold {text!r}: is not a whole number; give a fold of params.yaml")
    return int(text)


def _item_of_dvc(stage: str) -> list[str]:
    name, _, item = os.environ.get("DVC_STAGE", "").rpartition(":")[2].partition("@")
    return item.split("-") if name == stage and item else []
