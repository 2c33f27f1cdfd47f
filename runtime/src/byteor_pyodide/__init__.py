"""Pyodide's runtime, unchanged: what a browser loads is in `files`, beside this page."""
