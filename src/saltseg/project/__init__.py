"""The state of the project: git, DVC, the code, lineage and processes."""
