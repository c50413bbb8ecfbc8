"""The item of a matrix stage that a script is to run, as dvc or a person names it."""

import argparse
import os
from collections.abc import Mapping

from saltseg.plumbing.errors import InputError


def stage_item(stage: str, description: str, parts: Mapping[str, str]) -> list[str]:
    """Return the parts of the item, such as ["lite0", "0"], from the arguments or from dvc.

    dvc.yaml passes none: what params.yaml names must not reach a shell. dvc says which item it
    runs in DVC_STAGE, as in "train-per-fold@lite0-0".

    parts: what each part is, by its name. Raises InputError where neither names an item.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, meaning in parts.items():
        parser.add_argument(name, nargs="?", help=meaning)
    given = [value for value in vars(parser.parse_args()).values() if value is not None]
    item = given or _item_of_dvc(stage)
    if len(item) != len(parts):
        raise InputError(f"{stage}: {' '.join(item)!r} is no item; give {' and '.join(parts)}")
    return item


def fold_number(text: str) -> int:
    """Return the number of a fold. Raises InputError where `text` is none."""
    if not (text.isascii() and text.isdecimal()):
        raise InputError(f"fold {text!r}: is no whole number; name one of params.yaml's folds")
    return int(text)


def _item_of_dvc(stage: str) -> list[str]:
    name, _, item = os.environ.get("DVC_STAGE", "").rpartition(":")[2].partition("@")
    return item.split("-") if name == stage and item else []
