"""Figures, tables and summaries of results."""
