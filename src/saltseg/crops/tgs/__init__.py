"""Kaggle's files of the TGS Salt Identification Challenge: finding, reading and checking them."""

from saltseg.crops.tgs.raw import FileCounts, read_raw

__all__ = ["FileCounts", "read_raw"]
