"""The set of crops, and what is known of it before learning: coverage, mosaics, folds."""
