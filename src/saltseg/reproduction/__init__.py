"""What a run recorded, and whether it can be had again: look up, verify, repeat, tell apart."""
