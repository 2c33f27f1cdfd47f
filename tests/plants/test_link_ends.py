"""Both ends of one link in one process: the end of a lane, and what is left where one of them was away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from byteor.diag import Diagnostic, Refused
from byteor.exec.load import load
from byteor.fabric import findings
from byteor.fabric.link import IN, OUT, Link
from byteor.kernel import commit as c
from byteor.kernel.wait import BACKOFF, BLOCK, FOREVER, Waiter
from byteor.plant import links
from byteor.plant.blocks import Blocks, in_memory, made
from byteor.plant.desk import Desk
from byteor.plant.status import RoleStatus, status_of
from byteor.plant.wiring import Part, wire
from byteor.testing.link_runs import HERE, free_port

PLAN = """
plan = 2
name = "link"
target = "lane_graph"
[types.record]
n = "i64"
[[ingress]]
name = "in"
type = "record"
[[egress]]
name = "out"
[[connect]]
from = "in"
to = "out"
"""
SLOTS = 16


class End:
    """One end of the link, run in a thread; `again` is a successor over the same blocks."""

    def __init__(self, link: Link, blocks: Blocks | None = None) -> None:
        graph = load(PLAN).spec
        self.wiring = wiring = wire(graph, Part(("out",) if link.side == IN else ("in",), (link,), {link.lane: SLOTS}))  # type: ignore[arg-type]
        self.link = link
        self.blocks = blocks or made(wiring, in_memory, True)
        role = next(role for role in wiring.roles if role.is_link)
        book = self.blocks.books[role.number]
        book.write("owner", book.read("owner") + 1)
        book.try_lock("owner")
        self.runner: Any = links.made(Desk(wiring, role, self.blocks, True), 64, link)
        self.said: list[Diagnostic] = []
        self.runner.say = self.said.append
        self.lane = self.blocks.lanes[0]
        self.stop = np.zeros(1, np.int64)
        self.failure: Refused | None = None
        self.strategy = BLOCK
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> End:
        self.runner.prepare()
        self.runner.open()
        self.runner.attach()
        self._thread.start()
        return self

    def _run(self) -> None:
        waiter = Waiter(0, self.stop.ctypes.data, self.runner.bell, self.strategy, FOREVER)
        try:
            while not self.runner.advance(waiter) and not self.stop[0]:
                pass
        except Refused as e:
            self.failure = e

    def join(self) -> None:
        self._thread.join()
        self.runner.leave()

    def leave(self) -> None:
        self.stop[0] = 1
        self.runner.post()
        self.join()

    def status(self) -> RoleStatus:
        """How it stands, as others see it."""
        return next(role for role in status_of(self.wiring, self.blocks).roles if role.is_link)

    def again(self) -> End:
        return End(self.link, self.blocks)

    def found(self) -> list[str]:
        """What it ended with."""
        self.join()
        return [] if self.failure is None else [d.code for d in self.failure.diagnostics]


@pytest.fixture
def ends() -> Iterator[tuple[End, End]]:
    port, lane = free_port(), load(PLAN).spec.lanes[0].name  # type: ignore[union-attr]
    near = End(Link(lane, OUT, "tcp", 1, connect=f"{HERE}:{port}"))
    far = End(Link(lane, IN, "tcp", 1, listen=f"{HERE}:{port}"))
    yield near, far


def until(fact: Callable[[], object]) -> None:
    while not fact():
        threading.Event().wait(0.005)


def put(end: End, n: int, closed: bool = False) -> None:
    rows = end.lane.array("slots", np.dtype([("n", "<i8")]))
    rows["n"][:n] = np.arange(n)
    end.lane.write("cursor", n)
    if closed:
        end.lane.write("closed", n)
    end.runner.post()


def test_records_and_the_end_cross_and_both_ends_know(ends: tuple[End, End]) -> None:
    near, far = (end.start() for end in ends)
    put(near, 9, closed=True)
    near.join()
    far.join()
    assert far.lane.array("slots", np.dtype([("n", "<i8")]))["n"][:9].tolist() == list(range(9))
    assert (far.lane.read("cursor"), far.lane.read("closed"), near.lane.read("gate")) == (9, 9, 9)
    assert near.runner.count(c.ENDED) == far.runner.count(c.ENDED) == links.DONE


def test_a_full_far_lane_stalls_the_near_side_and_nothing_more(ends: tuple[End, End]) -> None:
    near, far = (end.start() for end in ends)
    put(near, SLOTS)
    until(lambda: near.lane.read("gate") == SLOTS and near.status().connected and far.status().connected)
    near.lane.write("cursor", 2 * SLOTS)
    near.runner.post()
    until(lambda: near.status().stalls == 1)
    assert (near.status().taken, near.status().sent, near.status().peer) == (SLOTS, SLOTS, near.link.connect)
    assert far.lane.read("cursor") == near.lane.read("gate") == SLOTS
    far.lane.write("gate", SLOTS)
    far.runner.post()
    until(lambda: near.lane.read("gate") == 2 * SLOTS)
    far.leave()
    until(lambda: near.status().connected is False)
    near.leave()
    assert near.status().sent == 2 * SLOTS


def test_an_end_that_nobody_confirms_is_told_and_can_be_taken_up(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "LINGER", 0.3)
    monkeypatch.setattr(links, "PARTING", 0.1)
    monkeypatch.setattr(links.LinkOut, "_part", lambda self: None)  # it dies before it says farewell, again and again
    near, far = (end.start() for end in ends)
    put(near, 3, closed=True)
    far.join()
    assert [d.code for d in far.said if d.code != findings.NO_PEER.code] == [findings.UNCONFIRMED.code]
    assert far.runner.count(c.ENDED) == links.UNCONFIRMED
    near.leave()
    monkeypatch.undo()
    again = [end.again().start() for end in ends]
    for end in again:
        end.join()
    assert [end.runner.count(c.ENDED) for end in again] == [links.DONE, links.DONE]


def crossed(near: End, far: End, n: int) -> None:
    """Start both ends, let some records cross, and see that both know it."""
    far.start(), near.start()
    put(near, n)
    until(lambda: near.lane.read("gate") == n)


def test_who_waits_to_tell_of_room_waits_in_one_go(ends: tuple[End, End]) -> None:
    near, far = ends
    far.strategy = BACKOFF
    waits: list[bool] = []
    prepare = far.runner.prepare

    def prepared() -> None:
        prepare()
        wait = far.runner._wait

        def waited(*args: Any) -> bool:
            waits.append(wait(*args))
            return waits[-1]

        far.runner._wait = waited

    far.runner.prepare = prepared
    far.start(), near.start()
    put(near, SLOTS)
    until(lambda: near.lane.read("gate") == SLOTS)
    far.lane.write("gate", SLOTS)
    until(lambda: waits)
    near.leave()
    far.leave()
    assert waits.count(False) == 1  # when it left; else it would spin anew each time


def test_a_far_lane_that_is_new_is_told_at_both_ends_though_nothing_is_sent(ends: tuple[End, End]) -> None:
    near, far = ends
    crossed(near, far, 3)
    far.leave()
    new = End(far.link).start()
    assert near.found() == new.found() == [findings.PEER_LOST.code]
    assert new.lane.read("cursor") == 0


@pytest.mark.parametrize("made", [0, 2, 3, 5])
def test_a_near_lane_that_is_new_is_told_at_both_ends(ends: tuple[End, End], made: int) -> None:
    near, far = ends
    crossed(near, far, 3)
    near.leave()
    new = End(near.link)
    put(new, made)
    new.start()
    assert new.found() == far.found() == [findings.PEER_LOST.code]
    assert far.lane.read("cursor") == 3


def test_a_successor_of_either_end_goes_on_though_nothing_is_sent(ends: tuple[End, End]) -> None:
    near, far = ends
    crossed(near, far, 3)
    far.leave()
    far = far.again().start()
    until(lambda: near.runner.state.peer == 2)  # it was asked at once
    near.leave()
    near = near.again().start()
    put(near, 5, closed=True)
    assert near.found() == far.found() == []
    assert far.lane.read("closed") == 5
