"""What every lane promises, over each backing, between threads and between processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from byteor.testing.conformance import CHECKS, Setting


@pytest.mark.parametrize(("backing", "peers"), [("mem", "threads"), ("shm", "threads"), ("shm", "processes")])
@pytest.mark.parametrize("name", CHECKS)
def test_a_lane_keeps_its_promises(name: str, backing: str, peers: str, folder: Path) -> None:
    CHECKS[name](Setting(backing, peers, folder))
