"""Lanes under stress: ends killed with SIGKILL at random moments, and many messages between processes.

Rule 1. What is checked stands in `byteor.testing`; here is only when to kill, how many to send, and what is printed.
Rule 2. Positions are drawn from a seed; where in the work a kill falls is the machine's.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dev.steps import ROOT

PAUSE = 0.0005
A_LANE = 25  # kills of one lane


def stress(kills: int, seed: int) -> int:
    """Kill ends of every sort of lane; print where the kills fell; 1 when anything was wrong."""
    sys.path.insert(0, str(ROOT / "src"))
    from byteor.testing.kills import PLANS, Campaign

    dice, wrong, done = random.Random(seed), 0, 0

    def moment(campaign: Any, number: int) -> None:
        goal = campaign.plan.messages * (number + dice.random()) / (A_LANE + 1)
        while campaign.published < goal:
            time.sleep(PAUSE)
        time.sleep(dice.uniform(0, PAUSE))

    while done < kills:
        for plan in PLANS:
            with tempfile.TemporaryDirectory(prefix="byteor-stress-", dir="/dev/shm") as folder:
                began = time.monotonic()
                made = Campaign(plan, Path(folder), dice).run(min(A_LANE, kills - done), moment)
            done += sum(made.fell.values())
            wrong += len(made.wrong)
            _tell(plan.name, made.fell, made.wrong, time.monotonic() - began)
            if done >= kills:
                break
    print(f"{done} kills, {wrong} faults")
    return int(bool(wrong))


def _tell(name: str, fell: Counter[str], wrong: list[str], seconds: float) -> None:
    places = ", ".join(f"{n} {where}" for where, n in sorted(fell.items()))
    print(f"{name:<40} {sum(fell.values()):>4} kills {seconds:6.1f} s  {places}", flush=True)
    for fault in wrong:
        print(f"  {fault}", flush=True)


def stream(messages: int) -> int:
    """Send so many messages from one process, then from three, to another; 1 when one was lost, torn or made up."""
    sys.path.insert(0, str(ROOT / "src"))
    wrong = 0
    for producers in (1, 3):
        _between(producers, 3000)  # what is compiled at first is compiled before the fork
        wrong += _between(producers, messages, told=True)
    return int(bool(wrong))


def _between(producers: int, messages: int, told: bool = False) -> int:
    from byteor import lanes
    from byteor.testing import streams

    share = messages // producers
    with (
        tempfile.TemporaryDirectory(prefix="byteor-stress-", dir="/dev/shm") as folder,
        lanes.create("stream", streams.MESSAGE, producers=producers, capacity=4096, folder=folder) as lane,
    ):
        began = time.monotonic()
        for producer in range(producers):
            _fork(lambda number=producer: _sending(Path(folder), share, number))
        got = streams.receive_all(lane, "events", share * producers, _expect_children, producers=producers)
        seconds = time.monotonic() - began
        for _ in range(producers):
            assert os.wait()[1] == 0, "a producer failed"
    bad = sum(bool((got[p] != streams.expected(share, p)).any()) for p in range(producers))
    if told:
        said = f"{bad} checksums differ" if bad else "checksums equal"
        rate = share * producers / seconds / 1e6
        print(f"{producers} to 1, 64 bytes: {share * producers:,} messages, {rate:.1f} M/s, {said}", flush=True)
    return bad


def _sending(folder: Path, count: int, producer: int) -> None:
    from byteor import lanes
    from byteor.testing import streams

    with lanes.open("stream", streams.MESSAGE, folder=folder) as lane:
        streams.send_all(lane, "events", count, lambda: None, producer)


def _fork(work: Callable[[], object]) -> None:
    if os.fork():
        return
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def _expect_children() -> None:
    ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # whose status stays to be asked for
    assert ended is None or ended.si_status == 0, "a producer failed"
