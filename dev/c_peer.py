"""A C program at the other end of a lane: built from the generated headers alone, every message checked on both sides.

Rule 1. Each kind of lane is run in both directions; this side's ends are compiled ones.
Rule 2. Rings lose nothing. A state gives the latest value, and a journal that is written over may pass its reader:
        there every message is held to its own number, and what was not seen is counted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.steps import ROOT

SOURCE = ROOT / "examples/c_peer/peer.c"
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic")
KINDS = ("events", "fanout", "journal", "state")
MAY_MISS = ("journal", "state")
RECORD = 64 + 24
LARGEST = 1 << 30  # bytes of a journal


@dataclass(frozen=True, slots=True)
class Exchange:
    """One run: the lane's kind, who sent, and what was received."""

    kind: str
    sender: str
    messages: int
    seconds: float
    missed: int
    sum: int

    def __str__(self) -> str:
        rate = self.messages / self.seconds / 1e6
        seen = f"{self.missed:,} not seen, the others whole" if self.missed else "all seen, sums equal"
        return f"{self.kind:<8} {self.sender:<6} sends {self.messages:>12,} messages {rate:7.1f} M/s  {seen}"


def build(folder: Path) -> Path | None:
    """Compile the peer; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    made = folder / "peer"
    subprocess.run([compiler, *FLAGS, "-I", str(ROOT / "spec"), str(SOURCE), "-o", str(made)], check=True)
    return made


def options(kind: str, messages: int) -> dict[str, Any]:
    """What its lane is made with; a journal holds everything as long as that is no more than a gibibyte."""
    if kind != "journal":
        return {} if kind == "state" else {"capacity": 4096}
    length = 1 << max(12, min(27, (messages * RECORD // 6).bit_length()))
    return {"segments": 8, "segment_bytes": length}


class _Peers:
    """Peers under way; those that are left at the end are killed."""

    def __init__(self) -> None:
        self._all: list[subprocess.Popen[str]] = []
        self._texts: list[str] = []

    def start(self, peer: Path, *arguments: str) -> None:
        self._all.append(subprocess.Popen([str(peer), *arguments], stdout=subprocess.PIPE, text=True))

    def alive(self) -> None:
        """Raise when one of them has failed."""
        for one in self._all:
            if one.poll():
                raise AssertionError(f"a peer ended with {one.returncode}")

    def finish(self) -> None:
        """Wait for all, and hold them to a good end."""
        self._end()
        self.alive()

    def told(self) -> tuple[int, int]:
        """What those that received say, which must be the same: how many they missed, and their sum."""
        self.finish()
        (text,) = set(self._texts) - {""}
        return int(text.split()[0]), int(text.split()[-1])

    def __enter__(self) -> _Peers:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            for one in self._all:
                one.kill()
        self._end()

    def _end(self) -> None:
        if not self._texts:
            self._texts = [one.communicate()[0] for one in self._all]


def exchange(peer: Path, folder: Path, kind: str, python_sends: bool, messages: int) -> Exchange:
    """Run one lane in one direction; an AssertionError says what was not as it should be."""
    from byteor import lanes
    from byteor.testing import streams

    with lanes.create("exchanged", streams.MESSAGE, kind=kind, folder=folder, **options(kind, messages)) as lane:
        began = time.monotonic()
        with _Peers() as others:
            if python_sends:
                for number in range(2 if kind == "fanout" else 1):
                    others.start(peer, "receive", lane.path, str(messages), str(number))
                streams.send_all(lane, kind, messages, others.alive)
                missed, total = others.told()
            else:
                reader = () if kind == "state" else (lane.reader(),)
                if kind == "fanout":
                    others.start(peer, "receive", lane.path, str(messages), "1")
                others.start(peer, "send", lane.path, str(messages))
                _, missed, total, wrong = streams.receive_all(lane, kind, messages, others.alive, *reader)[0].tolist()
                assert not wrong, f"{kind}: {wrong} messages are wrong"
                if kind == "fanout":
                    assert others.told() == (missed, total), "two readers were told different things"
            others.finish()
        seconds = time.monotonic() - began
    lanes.remove("exchanged", folder=folder)
    found = Exchange(kind, "Python" if python_sends else "C", messages, seconds, missed, total)
    assert missed == 0 or (missed > 0 and kind in MAY_MISS), str(found)
    assert missed or total == streams.expected(messages)[streams.SUM], str(found)
    return found


def stress(messages: int) -> int:
    """Run every kind in both directions; 1 when anything was wrong, 2 where there is no compiler."""
    sys.path.insert(0, str(ROOT / "src"))
    with tempfile.TemporaryDirectory(prefix="byteor-c-peer-", dir="/dev/shm") as folder:
        peer = build(Path(folder))
        if peer is None:
            print("no C compiler here", file=sys.stderr)
            return 2
        for kind in KINDS:  # what is compiled at first is compiled here
            exchange(peer, Path(folder), kind, True, 1000)
            exchange(peer, Path(folder), kind, False, 1000)
        for kind in KINDS:
            for python_sends in (True, False):
                try:
                    print(exchange(peer, Path(folder), kind, python_sends, messages), flush=True)
                except AssertionError as fault:
                    print(f"FAULT: {fault}", flush=True)
                    return 1
    return 0
