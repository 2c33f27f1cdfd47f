"""The `byteor` command: it translates and shows, and decides nothing."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        from byteor.cli.app import app
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] not in ("typer", "rich"):
            raise
        print(f"byteor: the command line needs {e.name}: pip install 'byteor[cli]'", file=sys.stderr)
        sys.exit(1)
    app()
