"""Plants whose processes are killed, at named points and at random moments: where each kill fell, and what went wrong.

Rule 1. A victim is stopped, looked at, and then killed: so what it had not finished is known, and no successor is
    taken for it. A kill counts only where the victim held unfinished work.
Rule 2. At points, roles kill themselves as the manifest says; each start that was followed by another one did.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from byteor.kernel import commit as c
from byteor.plant.failpoints import CONVERTED, END_COMMITTED, END_FILLED, FED, RENAMED
from byteor.plant.status import newest
from byteor.plant.wiring import Role, Wiring
from byteor.testing.plant_runs import Deaths, Plant, Run, kinds_of, points_of

STALL = 60.0  # seconds without a commit of anybody: a hang
BRING_UP = 600.0  # and before a role has started: then everything may have to be compiled
SUPERVISORS, FORKSERVERS = 0.03, 0.06  # their share of the kills
RARELY = 0.02
SUPERVISOR, FORKSERVER = "supervisor", "forkserver"


@dataclass(slots=True)
class Tally:
    """Where kills fell, by the victim's kinds; how many there were; and what was wrong."""

    fell: Counter[tuple[str, str]] = field(default_factory=Counter)
    kills: int = 0
    idle: int = 0
    wrong: list[str] = field(default_factory=list)
    levels: list[tuple[int, int]] = field(default_factory=list)

    def note(self, kinds: Sequence[str], place: str) -> None:
        """Count one kill."""
        self.kills += 1
        self.fell.update((kind, place) for kind in kinds)


# the victims


def freeze(pid: int) -> bool:
    """Stop a process, all of its threads; no, when it is gone."""
    try:
        os.kill(pid, signal.SIGSTOP)
        while not all(_state(f"/proc/{pid}/task/{task}/stat") in "TZX" for task in os.listdir(f"/proc/{pid}/task")):
            time.sleep(0.0002)
        return _state(f"/proc/{pid}/stat") == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _state(stat: str) -> str:
    return Path(stat).read_text().rpartition(")")[2].split()[0]


def place_of(run: Run, role: Role) -> str:
    """Where a role stands that does nothing just now; "" when it has nothing to finish."""
    blocks, book = run.blocks, run.blocks.books[role.number]
    words, at = newest(book), c.TAKEN // 8
    if words[0] == 0:
        return "begins"
    lanes = [blocks.lanes[port.lane] for port in role.outputs]
    puts = [words[at + max(1, len(role.inputs)) + c.PUT // 8 * j] for j in range(len(lanes))]
    if any(lane is not None and lane.read("cursor") < put for lane, put in zip(lanes, puts, strict=True)):
        return "committed, not published"
    taken = [(blocks.lanes[port.lane], port.gate, words[at + i]) for i, port in enumerate(role.inputs)]
    if any(lane is not None and lane.read("gate", gate) < n for lane, gate, n in taken):
        return "published, not released"
    if role.kind == "egress":
        return "" if words[c.ENDED // 8] == 1 else "works" if _lags(taken) else "completes"
    if all(lane is not None and lane.read("closed") >= 0 for lane in lanes):
        return ""
    return "works" if role.kind == "ingress" or _lags(taken) else ""


def _lags(taken: Sequence[tuple[Any, int, int]]) -> bool:
    return any(lane is None or lane.read("cursor") > n for lane, _, n in taken)


def forkserver_of(supervisor: int) -> int:
    """The supervisor's only child; 0 when it has none just now."""
    try:
        found = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    except FileNotFoundError:
        return 0
    return int(found[0]) if found else 0


def level(pid: int) -> tuple[int, int]:
    """Resident bytes and descriptors of a process; zeros when it is gone."""
    try:
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return resident, len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0, 0


class Campaign:
    """Runs of plants whose processes are killed; `folder` is on a tmpfs and empty."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder, self.dice, self.tally = folder, dice, Tally()
        self._runs = 0
        self.last = ""

    def _run(self, plant: Plant, deaths: Deaths | None = None) -> Run:
        self._runs += 1
        self.last = plant.name
        return Run(plant, self.folder / f"run{self._runs}", deaths)

    def at_points(self, plant: Plant, each: int) -> None:
        """Let the roles of a plant die at their points, those first that are short of `each` kills."""
        deaths = self._deaths(plant.wiring, each)
        run = self._run(plant, deaths)
        run.start()
        status = self._awaited(run, lambda: False)
        self._closed(run, status)
        restarts = run.restarts()
        for role in plant.wiring.roles:
            used = deaths.get(role.name, ())[: restarts.get(role.name, 0)]
            for point, _ in used:
                self.tally.note(kinds_of(plant.wiring, role), point)
            if restarts.get(role.name, 0) > len(used):
                self.tally.wrong.append(f"{plant.name}: `{role.name}` was restarted {restarts[role.name]} times")
        run.clear()

    def _deaths(self, wiring: Wiring, each: int) -> dict[str, list[tuple[str, int]]]:
        return {role.name: found for role in wiring.roles if (found := self._of_role(wiring, role, each))}

    def _of_role(self, wiring: Wiring, role: Role, each: int) -> list[tuple[str, int]]:
        """Where the starts of one role die: what can be passed at any time, then what comes at the end."""
        kinds = kinds_of(wiring, role)
        short = [p for p in points_of(wiring, role) if any(self.tally.fell[kind, p] < each for kind in kinds)]
        late = {CONVERTED: 3, RENAMED: 3, END_FILLED: 3, END_COMMITTED: 1} | ({FED: 2} if role.stage else {})
        early = [(point, self.dice.randint(1, 3)) for point in short if point not in late] * min(2, each)
        self.dice.shuffle(early)
        return early + [(point, 1) for point, times in late.items() if point in short for _ in range(min(times, each))]

    def at_random(self, plant: Plant, least: int, pace: float, supervisors: bool = True) -> None:
        """Kill processes of a plant at random moments, `least` times or until it has ended."""
        run = self._run(plant)
        run.start()
        before = self.tally.kills
        pause = [time.monotonic()]

        def strike() -> bool:
            if time.monotonic() < pause[0] or not run.look():
                return False
            pause[0] = time.monotonic() + self.dice.uniform(0, pace)
            return self._strike(run, supervisors) if self.tally.kills < before + least else False

        status = self._awaited(run, strike)
        self._closed(run, status)
        run.clear()

    def _awaited(self, run: Run, strike: Callable[[], bool]) -> int:
        """Wait for the end of a run, killing meanwhile; a supervisor that was killed is followed by another."""
        seen, since = -1, time.monotonic()
        while (status := run.ended()) is None:
            time.sleep(0.001)
            run.look()
            if strike():  # it was the supervisor
                os.waitpid(run.pid, 0)
                run.resume()
            if (pulse := run.pulse()) != seen:
                seen, since = pulse, time.monotonic()
            elif time.monotonic() > since + (STALL if pulse else BRING_UP):
                self.tally.wrong.append(f"{run.plant.name}: nothing moved for {time.monotonic() - since:.0f} s")
                os.kill(run.pid, signal.SIGKILL)
                return os.waitstatus_to_exitcode(os.waitpid(run.pid, 0)[1])
        return status

    def _closed(self, run: Run, status: int) -> None:
        self.tally.wrong += [f"{run.plant.name}: {one}" for one in run.judge(status)]

    def _strike(self, run: Run, supervisors: bool) -> bool:
        """Kill somebody; whether it was the supervisor."""
        alive = [role for role in run.wiring.roles if run.blocks.books[role.number].held("owner")]
        if len(alive) == len(run.wiring.roles):  # else it has fewer descriptors just now
            self.tally.levels.append(level(run.pid))
        victim = self.dice.random()
        if len(alive) < len(run.wiring.roles) / 2 and victim > RARELY:
            return False  # else a plant whose roles start slowly would never come to work
        if victim < SUPERVISORS:
            return supervisors and self._supervisor(run)
        if victim < SUPERVISORS + FORKSERVERS:
            self._forkserver(run)
        elif alive:
            self._role(run, self.dice.choice(alive))
        return False

    def _role(self, run: Run, role: Role) -> None:
        book = run.blocks.books[role.number]
        pid = int(book.read("owner_pid"))  # written once the lock is won: until then it may be anybody's by now
        if not run.owns(pid) or not freeze(pid):
            return
        same = book.held("owner") and book.read("owner_pid") == pid
        place = place_of(run, role) if same else ""
        os.kill(pid, signal.SIGKILL)
        if place:
            self.tally.note(kinds_of(run.wiring, role), place)
        else:
            self.tally.idle += 1

    def _supervisor(self, run: Run) -> bool:
        """Kill the supervisor, unless all is over but its own end."""
        if not freeze(run.pid):
            return False
        if not run.folder.exists() or not (phase := _phase(run)):
            os.kill(run.pid, signal.SIGCONT)
            return False
        os.kill(run.pid, signal.SIGKILL)
        self.tally.note((SUPERVISOR,), phase)
        return True

    def _forkserver(self, run: Run) -> None:
        pid = forkserver_of(run.pid)
        if run.owns(pid) and freeze(pid):
            phase = _phase(run)
            os.kill(pid, signal.SIGKILL)
            if phase:
                self.tally.note((FORKSERVER,), phase)


def _phase(run: Run) -> str:
    """How far a plant is; "" when there is nothing left to do."""
    egresses = [run.blocks.books[role.number] for role in run.wiring.roles if role.kind == "egress"]
    if all(newest(book)[c.ENDED // 8] == 1 for book in egresses):
        return ""
    books = run.blocks.books
    return "works" if all(newest(book)[0] for book in books) else "begins"
