"""A plant whose far side is slow while a file lies there: what the near side keeps, and what is under way.

Rule 1. What is under way is counted between the two ends, by the messages that pass: nobody is asked.
Rule 2. Memory is flat when the level of the last quarter is that of the first; both are medians of samples.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from byteor.exec.load import load
from byteor.exec.resolve import resolve
from byteor.fabric.messages import DATA, HEAD_BYTES, MAGIC, STATE, Message, decode
from byteor.plant.processes import Wanted
from byteor.plant.status import status_of
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.placement import Placement
from byteor.testing.link_kills import Hosts, Tally, Trouble
from byteor.testing.plant_kills import level
from byteor.testing.plant_runs import Plant
from byteor.testing.relay import Way

ROWS, SLOTS = 60_000, 64
WHERE = {"in": "near", "crawl": "far", "out": "far"}
FLAT = 1.05
MORE = tuple(f"more{k}" for k in range(6))  # 64 bytes a record
_PLAN = """
plan = 2
name = "crawl"
target = "lane_graph"
[types.record]
a = "i64"
b = "i64"
{MORE}
[[ingress]]
name = "in"
type = "record"
[[stage]]
name = "crawl"
call = "crawl:crawl"
compiled = false
reads = ["a"]
writes = ["b"]
[[egress]]
name = "out"
[[connect]]
from = "in"
to = "crawl"
lane = { capacity = 64 }
[[connect]]
from = "crawl"
to = "out"
"""
_CODE = """
import os
import time

SLOW = {slow!r}


def crawl(record):
    if os.path.exists(SLOW):
        time.sleep(0.002)
    record.b = record.a * 3
"""


def crawling(folder: Path) -> tuple[Plant, Path]:
    """The plant over files in `folder`, and the file that makes it slow."""
    folder.mkdir(parents=True)
    (folder / "out").mkdir()
    (slow := folder / "slow").touch()
    (folder / "crawl.py").write_text(_CODE.format(slow=str(slow)))
    rows = np.zeros(ROWS, [(name, "<i8") for name in ("a", "b", *MORE)])
    rows["a"] = np.arange(ROWS)
    (folder / "in.raw").write_bytes(rows.tobytes())
    rows["b"] = rows["a"] * 3
    graph = load(_PLAN.replace("{MORE}", "\n".join(f'{name} = "i64"' for name in MORE))).spec
    assert isinstance(graph, LaneGraph)
    codes, found = resolve(graph, folder)
    assert not found, found
    ends = {"in": str(folder / "in.raw")}, {"out": str(folder / "out" / "out.raw")}
    options = {"wait": "block", "batch": 64}
    wanted = Wanted(graph, Placement(graph.name, "none", ()), folder, codes, *ends, options)
    return Plant("crawl", wanted, {"out": rows.tobytes()}), slow


@dataclass(slots=True)
class Wire:
    """What passed between the two ends of one link."""

    messages: int = 0
    sent: int = 0
    committed: int = 0
    limit: int = 0
    most: int = 0
    beyond: int = 0
    _rest: dict[int, bytes] = field(default_factory=dict)

    def passed(self, way: Way, data: bytes) -> None:
        """Look for heads in what came; one may come in two pieces."""
        data, at = self._rest.get(id(way), b"") + data, 0
        while (found := data.find(MAGIC, at)) >= 0 and found + HEAD_BYTES <= len(data):
            if (message := decode(data[found : found + HEAD_BYTES])) is not None:
                self._note(message)
            at = found + len(MAGIC)
        self._rest[id(way)] = data[max(at, len(data) - HEAD_BYTES + 1) :]

    def _note(self, m: Message) -> None:
        self.messages += 1
        if m.kind == STATE:
            self.committed, self.limit = max(self.committed, m.at), max(self.limit, m.more)
        elif m.kind == DATA:
            self.sent = max(self.sent, m.at + m.more)
            self.beyond += self.sent > self.limit
            self.most = max(self.most, self.sent - self.committed)


class Scripted(Hosts):
    """The plant, with a script of what happens; each of its steps waits for something."""

    def __init__(self, folder: Path, fabric: str, trouble: Trouble) -> None:
        plant, self.slow = crawling(folder / "files")
        super().__init__(plant, WHERE, folder, trouble, fabric)
        self.wire = Wire()
        self.relays[0].look = self.wire.passed
        self._script: Iterator[None] = iter(())

    def run(self, tally: Tally, dice: random.Random) -> None:
        self._script = self.script(tally)
        try:
            super().run(tally, dice)
        finally:
            getattr(self._script, "close", tuple)()

    def turn(self, tally: Tally, dice: random.Random, ended: Mapping[str, int]) -> None:
        if ended and self.slow.exists():
            self.slow.unlink()
            tally.wrong.append(f"{self.folder.name}: it ended before its time")
        next(self._script, None)

    def script(self, tally: Tally) -> Iterator[None]:
        """What happens; the far side is slow until its end."""
        raise NotImplementedError


class Crawl(Scripted):
    """A far side that is slow for some seconds: samples of the near side meanwhile."""

    def __init__(self, folder: Path, fabric: str, seconds: float) -> None:
        super().__init__(folder, fabric, Trouble(delay=0.001, loss=0.0, pace=0.2))
        self.seconds = seconds
        self.samples: dict[str, list[int]] = {}
        self.depths: list[int] = []

    def script(self, tally: Tally) -> Iterator[None]:
        while not self.moves(10):
            yield
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            self._sample()
            yield
        self.slow.unlink()
        tally.wrong += [f"slow far side: {one}" for one in self.wrong()]

    def _sample(self) -> None:
        run = self.runs["near"]
        status = status_of(run.wiring, run.blocks)
        self.depths.append(status.lanes[0].depth)
        pids = {role.name: role.pid for role in status.roles} | {"supervisor": run.pid}
        for name, pid in pids.items():
            self.samples.setdefault(name, []).append(level(pid)[0])

    def told(self) -> str:
        """What was seen, in one line."""
        first, last = self.memory
        full = f"lane full in {self.depths.count(SLOTS)} of {len(self.depths)} samples"
        away = f"at most {self.wire.most} of {SLOTS} records under way, {self.wire.beyond} times beyond the limit"
        grown = f"near side {first / 2**20:.1f} MiB in the first quarter, {last / 2**20:.1f} in the last"
        return f"{grown}; {away} in {self.wire.messages} messages; {full}"

    @property
    def memory(self) -> tuple[int, int]:
        """The level of all processes of the near side in the first and in the last quarter, in bytes."""
        quarter = len(self.depths) // 4
        first = [statistics.median(levels[:quarter]) for levels in self.samples.values()]
        last = [statistics.median(levels[-quarter:]) for levels in self.samples.values()]
        return int(sum(first)), int(sum(last))

    def wrong(self) -> Iterator[str]:
        """What is not as it should be."""
        first, last = self.memory
        if last > first * FLAT:
            yield f"the near side grew from {first} to {last} bytes"
        if self.wire.beyond or self.wire.most > SLOTS:
            yield f"{self.wire.most} records were under way, {self.wire.beyond} times beyond the limit"
        if (full := self.depths.count(SLOTS)) < len(self.depths) // 2:
            yield f"the lane was full in {full} of {len(self.depths)} samples only: it was not held back"
