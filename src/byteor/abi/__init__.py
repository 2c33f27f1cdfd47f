"""Layouts as tables: where each word of a ring lies."""
