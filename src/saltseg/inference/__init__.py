"""From networks to probabilities: predictor, views, tiles and the ensemble."""
