"""saltseg: a reproducible pipeline that learns to find salt in seismic images."""

__version__ = "0.2.0"
