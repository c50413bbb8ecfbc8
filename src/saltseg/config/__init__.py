"""What params.yaml and conf/ may say: the schema, its checks, and recipes."""
