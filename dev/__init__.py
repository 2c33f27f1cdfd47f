"""The project's automation: `python -m dev`."""
