"""Charts: their bytes are stable, and they show what they are given."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saltseg.reports.charts import bar_chart, histogram
from tests.helpers.pictures import is_stable

CHARTS: dict[str, Callable[[Path, list[float]], None]] = {
    "bars": lambda path, y: bar_chart(path, [0, 1], {"a": y, "b": [2, 1]}, "x", "title"),
    "histogram": lambda path, y: histogram(
        path, [0, 50, 100], {"train": y, "test": [1, 1]}, "x", "y", "title"
    ),
}


@pytest.mark.parametrize("name", CHARTS)
def test_bytes_follow_from_the_numbers_alone(tmp_path: Path, name: str) -> None:
    made = []
    for y in ([1.0, 2.0], [1.0, 2.0], [2.0, 2.0]):
        CHARTS[name](tmp_path / "chart.png", y)
        made.append((tmp_path / "chart.png").read_bytes())
    assert is_stable(*made[:2])
    assert made[2] != made[0]
    assert [path.name for path in tmp_path.iterdir()] == ["chart.png"]
