"""The code's state is recorded by stages: the fixtures of tracking serve here too."""

from tests.tracking.conftest import checkout, migrated, pipeline, start

__all__ = ["checkout", "migrated", "pipeline", "start"]
