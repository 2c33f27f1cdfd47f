"""Regions: named memory that processes share, and the locks that say who is alive."""
