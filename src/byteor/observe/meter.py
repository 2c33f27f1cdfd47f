"""How a plant moves: what changed between two looks, and how each role spent the time between.

Rule 1. How time was spent is seen by looking often: so many looks found a role at work, so many waiting, and for what.
Rule 2. What cannot be known is None: the use of a core where there is no process to ask.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from byteor.observe import machine
from byteor.observe.machine import Usage
from byteor.observe.window import Window
from byteor.plant.status import LaneStatus, RoleStatus, Status


@dataclass(frozen=True, slots=True)
class RoleMotion:
    """One role between two looks: records a second, records a commit, shares of the time, shares of a core.

    `delay` is the share of the time in which it wanted a core and had none, `cores` on which it may run.
    """

    now: RoleStatus
    taken: float
    put: float
    batch: float
    works: float
    starved: float
    crowded: float
    cpu: float | None
    delay: float | None
    cores: frozenset[int]
    process: str


@dataclass(frozen=True, slots=True)
class LaneMotion:
    """One lane between two looks: messages a second, how full it was, and how often it was full."""

    now: LaneStatus
    rate: float
    fill: float
    full: float


@dataclass(frozen=True, slots=True)
class Motion:
    """A plant over an interval."""

    seconds: float
    looks: int
    status: Status
    roles: tuple[RoleMotion, ...]
    lanes: tuple[LaneMotion, ...]

    def role(self, name: str) -> RoleMotion:
        return next(role for role in self.roles if role.now.name == name)

    @property
    def rate(self) -> float:
        """Records that came in a second."""
        return sum(role.put for role in self.roles if role.now.kind == "ingress")


class Meter:
    """Looks at one plant again and again; `take` tells of the time since the last one."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._names = {name: process for process, names in window.processes.items() for name in names}
        self._begin()

    def _begin(self) -> None:
        self._at, self._before = time.monotonic(), self.window.status()
        self._used = {role.name: self._usage(role) for role in self._before.roles}
        self._counts = np.zeros((len(self._before.roles), 3), np.int64)
        self._fills = np.zeros(len(self._before.lanes))
        self._full = np.zeros(len(self._before.lanes))
        self._looks = 0

    def _usage(self, role: RoleStatus) -> Usage | None:
        book = self.window.blocks.books[self.window.wiring.role(role.name).number]  # type: ignore[union-attr]
        return machine.usage(role.pid, book.read("owner_started")) if role.alive else None

    def look(self) -> None:
        """Note what each role is at, and how full each lane is."""
        waiting = self.window.waiting()
        self._counts[np.arange(len(waiting)), np.clip(waiting, 0, 2)] += 1
        fills = np.array(self.window.fills())
        self._fills += fills
        self._full += fills >= 1.0
        self._looks += 1

    def take(self) -> Motion:
        """What happened since the last time."""
        if not self._looks:
            self.look()
        before, used, seconds = self._before, self._used, max(time.monotonic() - self._at, 1e-9)
        shares, looks = self._counts / self._looks, self._looks
        fills, full = self._fills / looks, self._full / looks
        self._begin()
        now = self._before
        roles = [self._role(now.roles[i], before.roles[i], used, seconds, shares[i]) for i in range(len(now.roles))]
        lanes = [
            LaneMotion(lane, (lane.published - old.published) / seconds, float(fills[i]), float(full[i]))
            for i, (lane, old) in enumerate(zip(now.lanes, before.lanes, strict=True))
        ]
        return Motion(seconds, looks, now, tuple(roles), tuple(lanes))

    def _role(
        self, now: RoleStatus, old: RoleStatus, used: dict[str, Usage | None], seconds: float, shares: np.ndarray
    ) -> RoleMotion:
        taken, commits = now.taken - old.taken, (now.epoch - old.epoch) or (sum(now.batches) - sum(old.batches))
        works, starved, crowded = (float(share) for share in shares)
        cpu = delay = None
        here, there = self._used[now.name], used[now.name]
        if here is not None and there is not None and now.pid == old.pid:
            cpu, delay = (here.cpu - there.cpu) / seconds, (here.delay - there.delay) / seconds
        cores = here.cores if here is not None else frozenset()
        batch = taken / commits if commits > 0 else 0.0
        rates = taken / seconds, (now.put - old.put) / seconds
        return RoleMotion(now, *rates, batch, works, starved, crowded, cpu, delay, cores, self._names[now.name])


def measure(window: Window, seconds: float, every: float = 0.02) -> Motion:
    """Watch a plant for so many seconds."""
    meter = Meter(window)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        meter.look()
        time.sleep(min(every, left))
    return meter.take()
