"""Ends that die: what survivors are told, what successors find, and a few kills in the middle of the work."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from byteor import lanes
from byteor.diag import Refused
from byteor.lanes.outcome import Died
from byteor.testing.killed import Plan
from byteor.testing.kills import PLANS, Campaign

ROW = np.dtype([("n", "<i8")])


def dies(work: Callable[[], object]) -> int:
    """Do `work` in a child that is killed right after it; answer its pid once it is dead."""
    pid = os.fork()
    if not pid:
        try:
            work()
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    return pid


def sends(*numbers: int, closing: bool = False) -> Callable[[], object]:
    def work() -> None:
        sender = lanes.open("ticks", ROW).sender()
        for n in numbers:
            sender.send((n,))
        if closing:
            sender.close()

    return work


def receives(count: int, number: int = 0) -> Callable[[], object]:
    def work() -> None:
        reader = lanes.open("ticks", ROW).reader(number)
        for _ in range(count):
            reader.receive()

    return work


@pytest.mark.parametrize("may_block", [False, True])
def test_a_dead_producer_is_told_and_is_not_the_end(folder: Path, may_block: bool) -> None:
    with lanes.create("ticks", ROW, may_block=may_block) as lane:
        pid = dies(sends(0, 1))
        with lane.reader() as reader:
            assert [int(reader.receive()["n"]) for _ in range(2)] == [0, 1]
            with pytest.raises(Died, match=f"producer 0 of ticks \\(process {pid}\\) died"):
                reader.receive()
            assert not reader.ended
            dies(sends(2))
            assert int(reader.receive()["n"]) == 2
            dies(sends(3, closing=True))
            assert [int(row["n"]) for row in reader] == [3]


def test_a_dead_reader_is_told_to_who_waits_for_it(folder: Path) -> None:
    with lanes.create("ticks", ROW, capacity=2) as lane, lane.sender() as sender:
        sender.send_many(np.array([(0,), (1,)], ROW))
        pid = dies(receives(2))
        assert lane.positions() == (2, [1]), "the second was looked at, and not given back"
        sender.send((2,))
        with pytest.raises(Died, match=f"reader 0 of ticks \\(process {pid}\\) died"):
            sender.send((3,))
        with lane.reader() as reader:
            assert reader.receive_many()["n"].tolist() == [1]
            assert reader.receive_many()["n"].tolist() == [2]


def test_who_left_in_order_is_not_dead(folder: Path) -> None:
    with lanes.create("ticks", ROW) as lane, lane.reader() as reader:
        lane.sender().leave()
        with pytest.raises(TimeoutError):
            reader.receive(timeout=0.1)


def test_a_dead_reader_can_be_given_up_and_a_living_one_cannot(folder: Path) -> None:
    with lanes.create("ticks", ROW, capacity=1, readers=2, kind="fanout") as lane, lane.sender() as sender:
        dies(receives(0, number=1))
        with lane.reader(0) as reader:
            with pytest.raises(Refused, match="T036"):
                lane.detach(0)
            lane.detach(1)
            for n in range(3):
                sender.send((n,), timeout=5)
                assert int(reader.receive()["n"]) == n
                reader.release()


def test_the_file_of_the_living_is_not_removed(folder: Path) -> None:
    with lanes.create("ticks", ROW) as lane:
        lane.reader()
        with pytest.raises(Refused, match="T024"):
            lanes.remove("ticks")
    lanes.remove("ticks")
    with pytest.raises(Refused, match="T004"):
        lanes.open("ticks", ROW)


def at_eighths(campaign: Campaign, k: int) -> None:
    """Come back when the next eighth of the messages is through."""
    goal = (k + 1) * campaign.plan.messages // 8
    while campaign.published < goal:
        os.sched_yield()


@pytest.mark.parametrize(
    "plan",
    [pytest.param(plan, id=plan.name, marks=pytest.mark.stress if i % 2 else ()) for i, plan in enumerate(PLANS)],
)
def test_nothing_is_lost_when_ends_are_killed(plan: Plan, folder: Path) -> None:
    short = replace(plan, messages=plan.messages // 10)
    campaign = Campaign(short, folder, random.Random(1)).run(4, at_eighths)
    assert campaign.wrong == []
    assert campaign.fell, "a kill that comes too late is none; the first never does"
