"""The clock of runs, in MLflow's unit."""

import time


def now_ms() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return int(time.time() * 1000)
