"""What is told of a link under stress is true: what passed on its wire, zombies, and a far side that is slow."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byteor.fabric.messages import DATA, NOTHING, STATE, Line, Message, encode
from byteor.testing.link_crawl import SLOTS, Crawl, Wire
from byteor.testing.link_kills import Tally
from byteor.testing.link_zombies import Haunted

LINE = Line(1, 2, bytes(16))


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    """A folder in shared memory."""
    made = Path("/dev/shm") / f"byteor-test-troubles-{tmp_path.parent.name}-{tmp_path.name}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    yield made
    shutil.rmtree(made)


def said(kind: int, at: int, more: int) -> bytes:
    return encode(Message(kind, 0, 0, LINE, 3, 4, at, more, NOTHING))


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_a_wire_sees_every_message_however_it_is_cut(piece: int) -> None:
    wire, there, back = Wire(), object(), object()
    for way, data in (
        (back, said(STATE, 0, 8)),
        (there, b"x" * 50 + said(DATA, 0, 5) + b"body" * 9 + said(DATA, 5, 3)),
    ):
        for at in range(0, len(data), piece):
            wire.passed(way, data[at : at + piece])  # type: ignore[arg-type]
    assert (wire.messages, wire.sent, wire.limit, wire.most, wire.beyond) == (3, 8, 8, 8, 0)
    wire.passed(there, said(DATA, 8, 1))  # type: ignore[arg-type]
    assert (wire.beyond, wire.most) == (1, 9)


def run(hosts: Any) -> Tally:
    tally = Tally()
    hosts.run(tally, random.Random(1))
    assert tally.wrong == []
    return tally


@pytest.mark.stress
@pytest.mark.timeout(180)
@pytest.mark.parametrize("fabric", ["tcp", "zenoh"])
def test_zombies_of_both_ends_are_left_out_and_counted(base: Path, fabric: str) -> None:
    if fabric == "zenoh":
        pytest.importorskip("zenoh")
    hosts = Haunted(base, fabric)
    run(hosts)
    assert min(hosts.counted["out"], hosts.counted["in"]) > 0


@pytest.mark.stress
@pytest.mark.timeout(180)
def test_a_slow_far_side_holds_the_near_side_back(base: Path) -> None:
    hosts = Crawl(base, "tcp", 5.0)
    run(hosts)
    assert 0 < hosts.wire.most <= SLOTS
