"""The competition's run-length code, metric and submission, and intervals of scores."""
