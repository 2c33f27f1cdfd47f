"""Where lanes lie: a name in a folder of this user.

Rule 1. A name never leaves its folder.
Rule 2. The default folder is made on first use, for its user alone; any other folder must be there.
"""

from __future__ import annotations

import os
from pathlib import Path

from byteor.diag import Refused
from byteor.lanes import findings as t

VARIABLE = "BYTEOR_LANES"


def default_folder() -> Path:
    """$BYTEOR_LANES, else a folder of this user in /dev/shm."""
    return Path(os.environ.get(VARIABLE) or f"/dev/shm/byteor-{os.geteuid()}")


def place(name: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The file of a lane."""
    if not name or os.sep in name or name in (".", "..") or name.startswith(".byteor-") or "\0" in name:
        raise Refused([t.BAD_NAME.at(ascii(name), "it is no name of a file")])
    if folder is not None:
        return Path(folder) / name
    if not os.environ.get(VARIABLE) and not default_folder().exists():
        default_folder().mkdir(mode=0o700, exist_ok=True)
    return default_folder() / name


def given(region: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The file that somebody means who gives a path, or the name of a lane."""
    return Path(region) if os.sep in region else place(region, folder)
