"""Folders for regions: one in shared memory, one on the disk, and one that everybody may write."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(params=["shm", "disk"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder of each sort of file system, empty at the start."""
    if request.param == "disk":
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="byteor-test-", dir="/dev/shm") as path:
        yield Path(path)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder in which every user may work."""
    with tempfile.TemporaryDirectory(prefix="byteor-test-", dir="/dev/shm") as path:
        os.chmod(path, 0o777)
        yield Path(path)
