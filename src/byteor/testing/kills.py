"""Lanes whose ends are killed at any moment, and replaced at once, until all messages are through.

Rule 1. An end is a forked process; a killed one has a successor at once, which knows nothing but the region.
Rule 2. What each end does, and holds its messages to, stands in `killed`; here they are started, killed, waited for.
"""

from __future__ import annotations

import os
import random
import signal
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from byteor import lanes
from byteor.testing.killed import NAME, Plan, enough
from byteor.testing.killed import PLANS as PLANS


@dataclass
class Campaign:
    """One lane, its ends, and the kills among them."""

    plan: Plan
    folder: Path
    random: random.Random
    fell: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lane: Any = None
    _ends: dict[int, tuple[str, int]] = field(default_factory=dict)

    def run(self, kills: int, moment: Callable[[Campaign, int], object]) -> Campaign:
        """Kill so many ends, each when `moment` comes back, or until the messages are through."""
        with self.plan.create(self.folder) as lane:  # a fork that compiles first would be killed before its work
            self.plan.warm_up(lane)
        lanes.remove(NAME, folder=self.folder)
        with self.plan.create(self.folder) as self.lane:
            for what, count in (("reader", self.plan.readers), ("producer", self.plan.producers)):
                for i in range(count):
                    self._start(what, i)
            for k in range(kills):
                moment(self, k)
                if not self._kill():
                    break
            self._finish()
        lanes.remove(NAME, folder=self.folder)
        return self

    @property
    def published(self) -> int:
        """How many messages are through so far."""
        return self.plan.published(self.lane)

    def _start(self, what: str, index: int) -> None:
        pid = os.fork()
        if pid:
            self._ends[pid] = what, index
            return
        status = 1
        try:
            (self.plan.receive if what == "reader" else self.plan.send)(self.folder, index)
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
            where = self.plan.where(self.lane, what, index)
            os.kill(pid, signal.SIGKILL)
            if self._ended(pid) == -signal.SIGKILL:
                self.fell[f"{what}, {where or self.plan.after(self.lane, what)}"] += 1
                self._start(what, index)
                return True
        return False

    def _ended(self, pid: int) -> int:
        _, raw = os.waitpid(pid, 0)
        status = os.waitstatus_to_exitcode(raw)
        what, index = self._ends.pop(pid)
        if status not in (0, -signal.SIGKILL):
            self.wrong.append(f"{what} {index} ended with {status}")
        return status

    def _finish(self) -> None:
        enough(self.folder)
        producers = [pid for pid, (what, _) in self._ends.items() if what == "producer"]
        for pid in producers:
            self._ended(pid)
        if self.plan.producers > 1:
            self.lane.finish()
        for pid in list(self._ends):
            self._ended(pid)
        self.wrong += self.plan.faults(self.lane)
