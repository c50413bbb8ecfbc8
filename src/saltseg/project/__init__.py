"""The project's own state: git, DVC, its code, lineage, and processes."""
