"""The schema of params.yaml, its checks, and the recipes in conf/."""
