"""Unpack the flights and the weather of 2013 into a folder: `python prepare.py FOLDER`.

Rule 1. The files are found as the flights example finds them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "flights"))

from data import FLIGHTS, WEATHER, unpack


def main(folder: Path) -> int:
    """Unpack both, unless they are there."""
    for name in (WEATHER, FLIGHTS):
        print(unpack(folder, name))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
