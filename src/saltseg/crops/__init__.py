"""The set of crops, and its analysis before training: coverage, mosaics, folds."""
