"""A plant on two hosts whose links are killed, broken and cut: where kills fell, and what went wrong.

Rule 1. A kill counts only where the link had not ended, and a sender only where it had something to send.
Rule 2. A cut swallows everything, for as long as it was asked for; nobody is told. It counts where something had still
    to cross at its end.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from byteor.plant.failpoints import COMMIT, RECEIVED, SENT, TOLD
from byteor.plant.status import status_of
from byteor.plant.wiring import Role
from byteor.testing.link_runs import split
from byteor.testing.plant_kills import level
from byteor.testing.plant_runs import Deaths, Plant, Run
from byteor.testing.relay import Relay

POINTS = {"out": (*COMMIT, SENT), "in": (*COMMIT, RECEIVED, TOLD)}
ENDS = [(kind, point) for kind, points in POINTS.items() for point in points]
STALL = 120.0  # seconds without a commit or a start of anybody: a hang
LOOK = 0.005
IDLE = "without records"  # where a kill is told and does not count


@dataclass(slots=True)
class Tally:
    """Where kills fell, what links counted, the memory of their processes, and what was wrong."""

    fell: Counter[tuple[str, str]] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    resident: dict[str, list[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    cut: float = 0.0

    @property
    def kills(self) -> int:
        return sum(count for (_, place), count in self.fell.items() if place != IDLE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is to go wrong in one run: kills at random, cuts in seconds, and a relay's delay and loss."""

    kills: int = 0
    cuts: Sequence[float] = ()
    delay: float = 0.01
    loss: float = 0.01
    at_points: int = 0
    pace: float = 0.15


class Hosts:
    """One run of a plant on two hosts."""

    def __init__(self, plant: Plant, where: Mapping[str, str], folder: Path, trouble: Trouble, fabric: str) -> None:
        self.trouble = trouble
        self.relays: list[Relay] = []
        self.folder = folder
        self._cuts, self._kills, self._due = list(trouble.cuts), trouble.kills, 0.0
        parts = split(plant, where, fabric, before=self._relayed)
        self.runs = {host: Run(part, folder / f"run-{host}", self._deaths(part)) for host, part in parts.items()}

    def _relayed(self, port: int) -> int:
        self.relays.append(Relay(port, self.trouble.delay, self.trouble.loss))
        return self.relays[-1].port

    def _deaths(self, part: Plant) -> Deaths:
        links = [role for role in part.wiring.roles if role.is_link]
        each = self.trouble.at_points
        return {role.name: [(point, 1) for point in POINTS[role.kind] for _ in range(each)] for role in links}

    def run(self, tally: Tally, dice: random.Random) -> None:
        """Run to the end, and judge."""
        for run in self.runs.values():
            run.start()
        try:
            self._driven(tally, dice)
        finally:
            for relay in self.relays:
                relay.__exit__()
            for run in self.runs.values():
                run.clear()

    def _driven(self, tally: Tally, dice: random.Random) -> None:
        ended: dict[str, int] = {}
        patience = STALL + sum(self.trouble.cuts)
        pulse, until = -1, time.monotonic() + patience
        while len(ended) < len(self.runs) and time.monotonic() < until:
            for host, run in self.runs.items():
                if host not in ended and (status := run.ended()) is not None:
                    ended[host] = status
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + dice.random() * self.trouble.pace
                self.turn(tally, dice, ended)
                self.watched(tally)
                if (now := sum(run.pulse() for run in self.runs.values())) != pulse:
                    pulse, until = now, time.monotonic() + patience
            time.sleep(LOOK)
        for host, run in self.runs.items():
            used, restarts = self._deaths(run.plant), run.restarts()
            for role in run.wiring.roles:
                points = used.get(role.name, ())[: restarts.get(role.name, 0)]
                tally.fell.update((role.kind, point) for point, _ in points)
            wrong = run.judge(ended[host]) if host in ended else ["it does not end"]
            tally.wrong += [f"{run.plant.name}: {one}" for one in wrong]

    def turn(self, tally: Tally, dice: random.Random, ended: Mapping[str, int]) -> None:
        """Do what is to go wrong next, if it is time for it."""
        self._kills -= self._kills > 0 and self._killed(tally, dice, ended)
        if self._cuts and self.moves(3 * (1 + len(self.trouble.cuts) - len(self._cuts))):
            self._cut(self._cuts.pop(0), tally)

    def links(self) -> list[tuple[Run, Role]]:
        return [(run, role) for run in self.runs.values() for role in run.wiring.roles if role.is_link]

    def moves(self, commits: int) -> bool:
        """Whether every link has made so many commits."""
        links = [(run, role) for run, role in self.links() if run.look()]
        return bool(links) and any(
            max(run.blocks.books[role.number].read("record_epoch", k) for k in (0, 1)) >= commits for run, role in links
        )

    def _killed(self, tally: Tally, dice: random.Random, ended: Mapping[str, int]) -> bool:
        """Kill one end of a link that has not ended."""
        run, role = dice.choice(self.links())
        if run.plant.name in ended or not run.look():
            return False
        book = run.blocks.books[role.number]
        pid = int(book.read("owner_pid"))
        if not book.held("owner") or not run.owns(pid):
            return False
        status = status_of(run.wiring, run.blocks).role(role.name)
        if status.done:
            return False
        place = "with records" if status.lag or role.kind == "in" else IDLE
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            tally.fell[role.kind, place] += 1
            return place != IDLE
        return False

    def watched(self, tally: Tally) -> None:
        """Note the memory of the links' processes, and what they count."""
        for run, role in self.links():
            if run.look():
                pid = int(run.blocks.books[role.number].read("owner_pid"))
                if run.owns(pid) and (resident := level(pid)[0]):
                    tally.resident.setdefault(f"{run.plant.name} {role.name} {pid}", []).append(resident)
                now = status_of(run.wiring, run.blocks).role(role.name)
                for name in ("stalls", "rewinds", "fenced"):
                    key = f"{run.folder} {role.name} {name}"
                    tally.counted[key] = max(tally.counted[key], getattr(now, name))

    def _cut(self, seconds: float, tally: Tally) -> None:
        """Cut every link for so long."""
        for relay in self.relays:
            relay.cut = True
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.watched(tally)
            time.sleep(min(0.2, seconds))
        tally.cut += seconds * self._goes()
        for relay in self.relays:
            relay.cut = False

    def _goes(self) -> bool:
        """Whether something has still to cross, or to be confirmed."""
        return any(
            run.look() and not status_of(run.wiring, run.blocks).role(role.name).done for run, role in self.links()
        )


def total(tally: Tally, name: str) -> int:
    """What all links have counted under a name."""
    return sum(count for key, count in tally.counted.items() if key.endswith(f" {name}"))


def growth(tally: Tally) -> float:
    """The largest growth of a link's process, from a quarter of its life to its end; 1 is flat."""
    spans = [levels[len(levels) // 4 :] for levels in tally.resident.values() if len(levels) >= 8]
    return max((max(span) / span[0] for span in spans), default=1.0)
