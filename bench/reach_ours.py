"""A lane that crosses hosts: both ends of the link as a plant runs them, a process each, with every promise kept.

Rule 1. In frames: the near lane is full, the far one is emptied as it fills, so nothing but the link is measured; the
    far side checks numbers, and who waits for room is told.
Rule 2. One by one, and there and back: programs put records into the near lane, and take them out of the far one, each
    in a process of its own beside the link's; they sleep on their bells as roles do.
Rule 3. What runs on the near host has one core, what runs on the far one another.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np

from bench.reach_ends import pems
from bench.reach_talk import HERE, LAST, NUMBER, RECORD, WINDOW, Measured, Wrong, apart, ended, free_port, pin, shares
from byteor.exec.load import load
from byteor.fabric.link import IN, OUT, Link
from byteor.kernel.atomics import load_acquire, load_relaxed, store_relaxed, store_release
from byteor.kernel.hot import hot, short
from byteor.kernel.plain import own
from byteor.kernel.wait import BLOCK, FOREVER, Waiter, ring, wait_past
from byteor.plant import links
from byteor.plant.blocks import made
from byteor.plant.desk import Desk
from byteor.plant.shared import make_in
from byteor.plant.wiring import Part, wire

SLOTS = WINDOW // RECORD
CURSOR, GATE, SLOT, CLOSED, STOP, BELL, NEIGHBOUR, ROW = range(0, 64, 8)  # the table of a program at a lane
PLAN = """
plan = 2
name = "reach"
target = "lane_graph"
[types.record]
{fields}
[[ingress]]
name = "in"
type = "record"
[[egress]]
name = "out"
[[connect]]
from = "in"
to = "out"
""".format(fields="\n".join(f'w{k} = "i64"' for k in range(RECORD // 8)))
Pems = Sequence[dict[str, str]]


@hot
def waiter_at(table):
    """How a program at a lane waits."""
    return Waiter(own(table + CLOSED), own(table + STOP), own(table + BELL), BLOCK, FOREVER, 0)


@hot
def put(table):
    """Put the program's row into the lane."""
    cursor, gate = own(table + CURSOR), own(table + GATE)
    at = load_relaxed(cursor)
    if at - load_acquire(gate) >= SLOTS:  # SYNC: pairs with the release of the link's gate
        wait_past((gate,), at - SLOTS, waiter_at(table))
    slot, row = own(table + SLOT) + (at % SLOTS) * RECORD, own(table + ROW)
    for k in range(0, RECORD, 8):
        store_relaxed(slot + k, load_relaxed(row + k))
    store_release(cursor, at + 1)  # SYNC: pairs with the link's look at its lane
    ring((own(table + NEIGHBOUR),))


@hot
def take(table):
    """Take the next row out of the lane."""
    cursor, gate = own(table + CURSOR), own(table + GATE)
    at = load_relaxed(gate)
    if load_acquire(cursor) <= at:  # SYNC: pairs with the release of the link's cursor
        wait_past((cursor,), at, waiter_at(table))
    slot, row = own(table + SLOT) + (at % SLOTS) * RECORD, own(table + ROW)
    for k in range(0, RECORD, 8):
        store_relaxed(row + k, load_relaxed(slot + k))
    store_release(gate, at + 1)  # SYNC: pairs with the link's look at its room
    ring((own(table + NEIGHBOUR),))


class Host:
    """One host's part of the plant: its regions, the runner of its link, and a program at the lane."""

    def __init__(self, link: Link, folder: Path) -> None:
        other = "in" if link.side == OUT else "out"
        wiring = wire(load(PLAN).spec, Part((other,), (link,), {link.lane: SLOTS}))
        self.link, self._wiring = link, wiring
        folder.mkdir()
        self.blocks = made(wiring, make_in(folder), True)
        self.lane = self.blocks.lanes[0]
        self._role, program = (next(r for r in wiring.roles if r.is_link is yes) for yes in (True, False))
        bells = [self.blocks.plant.address("runner_bell", one.number) for one in (program, self._role)]
        self.row = bytearray(RECORD)
        memory = np.frombuffer(self.row, np.uint8).ctypes.data
        cells = [self.lane.address(name) for name in ("cursor", "gate", "slots", "closed")]
        self._stop = np.zeros(1, np.int64)
        self._table = np.array([*cells, self._stop.ctypes.data, *bells, memory], np.int64)
        self.table = int(self._table.ctypes.data)

    def fill(self) -> None:
        """Number the slots, each by its place."""
        self.lane.array("slots", np.int64).reshape(SLOTS, -1)[:, 0] = np.arange(SLOTS)

    def run(self, kind: type | None = None) -> None:
        """Run the link's end until all has crossed."""
        end = self.started(kind or (links.LinkOut if self.link.side == OUT else links.LinkIn))
        end.advance(end.waiter)
        end.leave()

    def started(self, kind: type) -> Any:
        """The link's end, up to where it works."""
        end = kind(Desk(self._wiring, self._role, self.blocks, True), 4096, self.link)
        end.waiter = Waiter(0, self._stop.ctypes.data, end.bell, BLOCK, FOREVER)
        end.prepare()
        end.open()
        end.attach()
        end.start(end.waiter)
        return end


class Emptied(links.LinkIn):
    """A far side whose lane is read as soon as it is filled, and whose records are looked at."""

    def _took(self, i: Any) -> None:
        super()._took(i)
        self.check(i.pos)
        self.desk.blocks.lanes[0].write("gate", i.pos)

    def check(self, pos: int) -> None:
        """Look at the number of the last record."""
        at = (pos - 1) % SLOTS * RECORD
        if pos and NUMBER.unpack_from(self.slots, at)[0] != (pos - 1) % SLOTS:
            raise Wrong(f"record {pos - 1} is another one")


class Pair:
    """Two hosts, and the lane between them."""

    def __init__(self, fabric: str, pems: Pems, folder: Path) -> None:
        port, lane = free_port(), load(PLAN).spec.lanes[0].name
        near, far = pems or ({}, {})
        self.near = Host(Link(lane, OUT, fabric, 1, connect=f"{HERE}:{port}", **near), folder / f"{port}.near")
        self.far = Host(Link(lane, IN, fabric, 1, listen=f"{HERE}:{port}", **far), folder / f"{port}.far")


def run(name: str, seconds: float, folder: Path) -> Measured:
    """Measure a fabric, which stands behind our name."""
    pin(0)
    fabric = "zenoh" if "zenoh" in name else "tcp"
    keys = pems(folder) if "mTLS" in name else ()
    for call in (put, take):
        at_lane(call)  # compiled before there are processes, so once
    regions = Path(tempfile.mkdtemp(prefix="byteor-bench-", dir="/dev/shm"))
    try:
        return _run(fabric, keys, regions, seconds)
    finally:
        shutil.rmtree(regions)


def _run(fabric: str, keys: Pems, folder: Path, seconds: float) -> Measured:
    found: Measured = {}
    for what, measure, n in (("frames", _frames, 1 << 20), ("single", _single, 1 << 15)):
        _forked(measure, Pair(fabric, keys, folder), n)
        rate = _forked(measure, Pair(fabric, keys, folder), n)  # the warm-up
        found[what] = _forked(measure, Pair(fabric, keys, folder), max(n, int(rate * seconds)))
    pairs = Pair(fabric, keys, folder), Pair(fabric, keys, folder)
    return found | shares(_trips(*pairs, seconds))


def _forked(measure: Any, pair: Pair, n: int) -> float:
    """Measure in a process of its own: zenoh's threads do not outlive a fork, and are not to be forked."""
    reading, writing = os.pipe()
    ended([apart(lambda: os.write(writing, np.float64(measure(pair, n)).tobytes()), 0)])
    os.close(writing)
    with open(reading, "rb") as told:
        return float(np.frombuffer(told.read(), np.float64)[0])


def _frames(pair: Pair, n: int) -> float:
    """Records per second of a full lane to one that is empty."""
    pair.near.fill()
    pid = apart(lambda: pair.far.run(Emptied), 1)
    end = pair.near.started(links.LinkOut)
    while not end.state.peer_home:
        time.sleep(0.001)
    began = time.perf_counter()
    pair.near.lane.write("cursor", n)
    pair.near.lane.write("closed", n)
    end.post()
    end.advance(end.waiter)
    rate = n / (time.perf_counter() - began)
    end.leave()
    ended([pid])
    return rate


def _single(pair: Pair, n: int) -> float:
    """Records per second of a program that puts them one by one, to one that takes them so."""
    reading, writing = os.pipe()

    def taking() -> None:
        one, row, unpack = at_lane(take), pair.far.row, NUMBER.unpack_from
        for k in range(n + 1):
            one(pair.far.table)
            if unpack(row)[0] != k:
                raise Wrong(f"{unpack(row)[0]} came, {k} was next")
            if k == 0 or k == n:
                os.write(writing, b"x")

    pids = [apart(pair.far.run, 1), apart(pair.near.run, 0), apart(taking, 1)]
    one, row, pack = at_lane(put), pair.near.row, NUMBER.pack_into
    pack(row, 0, 0)
    one(pair.near.table)
    os.read(reading, 1)  # the link is up
    began = time.perf_counter()
    for k in range(1, n + 1):
        pack(row, 0, k)
        one(pair.near.table)
    os.read(reading, 1)
    rate = n / (time.perf_counter() - began)
    _close(pair.near, n + 1)
    ended(pids)
    return rate


def at_lane(call: Any) -> Any:
    """A compiled call of a program at a lane."""
    return short(call, numba.int64)


def _close(host: Host, n: int) -> None:
    host.lane.write("closed", n)
    short(ring, numba.typeof((0,)))((int(host._table[NEIGHBOUR // 8]),))


def _trips(there: Pair, back: Pair, seconds: float) -> list[int]:
    """Let a record there and back over two lanes, the next when it is here; nanoseconds."""
    sent = got = 0

    def echoing() -> None:
        taken, given = at_lane(take), at_lane(put)
        number, n = 0, 0
        while number != LAST:
            taken(there.far.table)
            number = NUMBER.unpack_from(there.far.row)[0]
            back.near.row[:] = there.far.row
            given(back.near.table)
            n += 1
        _close(back.near, n)

    hosts = ((there.near, 0), (there.far, 1), (back.near, 1), (back.far, 0))
    pids = [apart(host.run, core) for host, core in hosts] + [apart(echoing, 1)]
    given, taken, clock = at_lane(put), at_lane(take), time.perf_counter_ns
    pack, unpack, took = NUMBER.pack_into, NUMBER.unpack_from, []
    warm = until = float("inf")
    while got != LAST:
        now = clock()
        number = sent if now < until else LAST
        pack(there.near.row, 0, number)
        given(there.near.table)
        taken(back.far.table)
        got = unpack(back.far.row)[0]
        if got != number:
            raise Wrong("something else came back")
        sent += 1
        if sent == 1:  # both links are up
            warm = clock() + seconds / 4 * 1e9
            until = warm + seconds * 1e9
        elif now > warm:
            took.append(clock() - now)
    _close(there.near, sent)
    ended(pids)
    return took
