"""A program in C, built from the generated header alone, at the other end of each kind of lane."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from byteor import lanes
from byteor.testing.streams import MESSAGE
from dev.c_peer import KINDS, build, exchange


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = build(tmp_path_factory.mktemp("peer"))
    if made is None:
        pytest.skip("no C compiler here: `cc` is not in the path")
    yield made


@pytest.mark.parametrize("python_sends", [True, False], ids=["python sends", "c sends"])
@pytest.mark.parametrize("kind", KINDS)
def test_messages_cross_between_python_and_c(peer: Path, folder: Path, kind: str, python_sends: bool) -> None:
    seen = exchange(peer, folder, kind, python_sends, 100_000)
    assert kind == "state" or seen.missed == 0


def test_the_peer_refuses_what_it_does_not_know(peer: Path, folder: Path) -> None:
    def told(*arguments: str) -> str:
        done = subprocess.run([str(peer), *arguments], capture_output=True, text=True)
        assert done.returncode == 1
        return done.stderr

    with lanes.create("bells", MESSAGE, may_block=True) as lane:
        assert "a capability that is not known here" in told("send", lane.path, "1")
    with lanes.create("short", "<i8") as lane:
        assert "its shape is not one for this peer" in told("send", lane.path, "1")
    with lanes.create("taken", MESSAGE) as lane, lane.sender():
        assert "its cell is taken" in told("send", lane.path, "1")
        (folder / "cut").write_bytes((folder / "taken").read_bytes()[:500])
        assert "its length is not what its header says" in told("receive", str(folder / "cut"), "1")
