"""From networks to probabilities: views, tiles, and the mean of snapshots and members."""
