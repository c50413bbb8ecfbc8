"""One's own labelled images and surveys, cut into crops for the pipeline."""
