"""Lanes whose ends are killed: every message is its ring's sequence, so whatever is lost, torn or made up shows.

Rule 1. An end is a forked process; a killed one has a successor at once, which knows nothing but the region.
Rule 2. A sender sends, at sequence n, the message n; a reader holds every message to its gate and to its rows.
Rule 3. Survivors outlive their peers: a death is told to them, and they wait on.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from byteor import lanes
from byteor.lanes.outcome import Closed, Died

ROW = np.dtype([("number", "<i8"), ("twice", "<i8"), ("more", "<i8", (6,))])
_PIECE = 40
_MOMENT = 0.001


@dataclass(frozen=True, slots=True)
class Plan:
    """A lane to be held to its promises: its kind and options, and how many messages each ring carries."""

    kind: str
    producers: int
    readers: int
    capacity: int
    may_block: bool
    messages: int

    @property
    def name(self) -> str:
        bells = "on doorbells" if self.may_block else "by backoff"
        return f"{self.kind} {self.producers}x{self.readers}, {self.capacity} slots, {bells}"

    def create(self, folder: Path) -> Any:
        """Make the lane."""
        several = {"producers": self.producers} if self.kind == "events" else {}
        options: dict[str, Any] = {
            "readers": self.readers,
            "capacity": self.capacity,
            "may_block": self.may_block,
            **several,
        }
        return lanes.create("killed", ROW, kind=self.kind, folder=folder, **options)


PLANS = (
    Plan("events", 1, 1, 64, False, 60_000),
    Plan("events", 1, 1, 4, True, 4_000),
    Plan("fanout", 1, 2, 32, False, 30_000),
    Plan("events", 3, 1, 16, False, 15_000),
)


def rows(first: int, count: int) -> np.ndarray[Any, Any]:
    made = np.zeros(count, ROW)
    made["number"] = np.arange(first, first + count)
    made["twice"] = 2 * made["number"]
    made["more"] = made["number"][:, None]
    return made


def send(folder: Path, plan: Plan, ring: int) -> None:
    """Send the rest of a ring, from where it is, by turns one by one and in pieces."""
    with lanes.open("killed", ROW, folder=folder) as lane:
        sender = lane.sender(ring)
        n = sender.position
        while n < plan.messages:
            count = 1 if n % 3 else min(_PIECE, plan.messages - n)
            _outliving(lambda n=n, count=count, s=sender: s.send_many(rows(n, count)[s.position - n :]))  # type: ignore[misc]
            n = sender.position
        sender.close()


def receive(folder: Path, plan: Plan, number: int) -> None:
    """Receive to the end, from where the gate is; every message is what its sequence says."""
    with lanes.open("killed", ROW, folder=folder) as lane:
        reader = lane.reader(number)
        while True:
            try:
                batch = _outliving(lambda: reader.receive_many(_PIECE))
            except Closed:
                return
            first = reader.sequence
            assert np.array_equal(batch, rows(first, len(batch))), f"at {first}: {batch['number'].tolist()}"


def _outliving(work: Callable[[], Any]) -> Any:
    while True:
        try:
            return work()
        except Died:
            continue


@dataclass
class Campaign:
    """One lane, its ends, and the kills among them."""

    plan: Plan
    folder: Path
    random: random.Random
    fell: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _ends: dict[int, tuple[str, int]] = field(default_factory=dict)

    def run(self, kills: int, moment: Callable[[Campaign, int], object]) -> Campaign:
        """Kill so many ends, each when `moment` comes back, or until the messages are through."""
        self._warm_up()
        with self.plan.create(self.folder) as lane:
            self.lane = lane
            for what, count in (("reader", self.plan.readers), ("producer", self.plan.producers)):
                for i in range(count):
                    self._start(what, i)
            for k in range(kills):
                moment(self, k)
                if not self._kill():
                    break
            self._finish()
        lanes.remove("killed", folder=self.folder)
        return self

    def _warm_up(self) -> None:
        """Compile here what the ends call: a fork that compiles first would be killed before its work."""
        with self.plan.create(self.folder) as lane:
            sender, readers = lane.sender(0), [lane.reader(i) for i in range(self.plan.readers)]
            with contextlib.suppress(TimeoutError):
                sender.send_many(rows(0, self.plan.capacity + 1), timeout=_MOMENT)
            for reader in readers:
                with contextlib.suppress(TimeoutError):
                    while True:
                        reader.receive_many(timeout=_MOMENT)
        lanes.remove("killed", folder=self.folder)

    def _start(self, what: str, index: int) -> None:
        pid = os.fork()
        if pid:
            self._ends[pid] = what, index
            return
        status = 1
        try:
            (receive if what == "reader" else send)(self.folder, self.plan, index)
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)

    def _kill(self) -> bool:
        """Kill an end that has not ended and start its successor; False when all have."""
        pids = list(self._ends)
        self.random.shuffle(pids)
        for pid in pids:
            what, index = self._ends[pid]
            filling = self._filling(what, index)
            os.kill(pid, signal.SIGKILL)
            if self._ended(pid) == -signal.SIGKILL:
                self.fell[f"{what}, {filling}"] += 1
                self._start(what, index)
                return True
        return False

    def _filling(self, what: str, index: int) -> str:
        """How full the victim's ring was just before."""
        used = self.used(index if what == "producer" else 0)
        return "ring empty" if not used else "ring full" if used >= self.plan.capacity else "ring in use"

    def used(self, ring: int) -> int:
        """Slots of a ring that some reader has not given back."""
        cursor, gates = self.lane.positions(ring)
        return int(cursor - min(gates))

    def _ended(self, pid: int) -> int:
        _, raw = os.waitpid(pid, 0)
        status = os.waitstatus_to_exitcode(raw)
        what, index = self._ends.pop(pid)
        if status not in (0, -signal.SIGKILL):
            self.wrong.append(f"{what} {index} ended with {status}")
        return status

    def _finish(self) -> None:
        producers = [pid for pid, (what, _) in self._ends.items() if what == "producer"]
        for pid in producers:
            self._ended(pid)
        if self.plan.producers > 1:
            self.lane.finish()
        for pid in list(self._ends):
            self._ended(pid)
        for ring in range(self.plan.producers):
            cursor, gates = self.lane.positions(ring)
            if {cursor, *gates} != {self.plan.messages}:
                self.wrong.append(f"ring {ring} ended at {cursor}, its readers at {gates}")
