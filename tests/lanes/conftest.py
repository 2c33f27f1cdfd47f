"""A folder for lanes that every process of a test finds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="byteor-test-", dir="/dev/shm") as path:
        monkeypatch.setenv("BYTEOR_LANES", path)
        yield Path(path)
