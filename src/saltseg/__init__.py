"""saltseg: a reproducible pipeline that learns to find salt in seismic images."""
