"""What a person sees of results: figures, tables, summaries."""
