"""Start the roles of a plant, watch them, restart what may be restarted, and leave no process behind.

Rule 1. One thread, one selector: channels, outputs, pidfds, the forkserver, and a bell for signals. Idle costs nothing.
Rule 2. Input comes only when all are ready. Who cannot get ready ends the plant.
Rule 3. A successor starts when the owner lock of its role is free, never before, and after a pause that grows.
Rule 4. `ask` once: the ingresses end, and all drains. Twice, or after a failure: all stop, and are killed if they
    do not come back within the patience.
Rule 5. A lost forkserver is replaced. What was asked of it and not answered lives if it speaks on its channel.

    roles = [Role("in", "byteor.plant.body:main", {"dir": DIR, "role": "in"}, "on_failure", 5, ingress=True), ...]
    ground = Ground(free=lambda role: ..., ring=lambda: ..., damage=lambda: directory.cut(...))
    supervisor = Supervisor(roles, ground, show=print, preload=(*PRELOAD, "byteor.plant.body"))
    outcomes = supervisor.run()           # one a role; `supervisor.ask()` is safe in a signal handler
    supervisor.opened, supervisor.status  # whether input came; done | drained | aborted | failed | refused
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from byteor.diag import Diagnostic
from byteor.plant import findings
from byteor.plant.channel import DONE, DRAIN, FAILED, OPEN, READY, REFUSED, STOP, STOPPED, Captured, Report, Show
from byteor.plant.forks import Born, Ended, Forks, Lost, Refusal
from byteor.plant.forkserver import PRELOAD
from byteor.plant.process import DIED, ON_FAILURE, Outcome, Process, Role

AGAIN = 0.01  # seconds between two looks at a lock that its dead owner is about to free
LAST_WORDS = 0.5  # seconds that a forkserver has to end, once it has closed its channel
SERVERS = 5  # forkservers in a row that were killed before they could work; then something is wrong


@dataclass(frozen=True, slots=True)
class Ground:
    """What a supervisor must know of the plant's regions; by default nothing is there to ask.

    `free` says whether a role's owner lock is free. `ring` wakes all who sleep, after a death and at a stop.
    `damage` gives the regions that were cut, asked after a SIGBUS, or a death that nobody explains. `heard` is told
    all that a role says.
    """

    free: Callable[[str], bool] = lambda role: True
    ring: Callable[[], object] = lambda: None
    damage: Callable[[], tuple[Diagnostic, ...]] = tuple
    heard: Callable[[str, Report], object] = lambda role, report: None


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds: before the first successor and at most, how long a stop may take, and between two calls of `turn`."""

    first: float = 0.02
    most: float = 5.0
    patience: float = 3.0
    turn: float | None = None

    def before(self, restarts: int) -> float:
        """The pause before the successor of that number, counted from 0."""
        return min(self.most, self.first * 2.0 ** min(restarts, 60))


class Supervisor:
    """The supervision of one run, from its first process to its last."""

    def __init__(
        self,
        roles: Iterable[Role],
        ground: Ground,
        show: Show,
        preload: tuple[str, ...] = PRELOAD,
        pauses: Pauses = Pauses(),
        turn: Callable[[], object] = tuple,
    ) -> None:
        self.opened = False
        self.drained = self.aborted = self.stopping = False
        self._ground, self._show, self._preload, self._pauses, self._turn = ground, show, preload, pauses, turn
        self._processes = {role.name: Process(role, show) for role in roles}
        self._forks: Forks | None = None
        self._unready = 0
        self._selector = selectors.DefaultSelector()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._asked = self._answered = 0
        self._at_once = self._closed = False
        self._until = float("inf")
        self._findings: tuple[Diagnostic, ...] = ()

    # what others call

    def run(self) -> tuple[Outcome, ...]:
        """Run the plant to its end; how each role ended, in the order given."""
        try:
            self._watch(self._bell, self._on_bell)
            self._serve()
            for process in self._processes.values():  # of a plant that was left, some may still be about to stop
                self._succeed(process, time.monotonic())
            while any(process.outcome is None for process in self._processes.values()):
                self._step()
            return self.outcomes
        finally:
            self._close()

    def ask(self, stop: bool = False) -> None:
        """Ask for the end: the first time the plant drains, the second time it stops. Safe in a signal handler.

        With `stop` nothing drains: what comes in would end there, also for who goes on with the plant.
        """
        self._at_once = self._at_once or stop
        self._asked += 1
        if not self._closed:
            os.eventfd_write(self._bell, 1)

    def order(self, what: str) -> None:
        """Give all processes an order."""
        for process in self._processes.values():
            process.order(what)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes that there are by now."""
        return tuple(process.outcome for process in self._processes.values() if process.outcome is not None)

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """Everything found: the plant's own, then the roles'."""
        return (*self._findings, *(d for outcome in self.outcomes for d in outcome.findings))

    @property
    def status(self) -> str:
        """How the whole ended: done, drained, aborted, failed, or refused."""
        ends = {outcome.status for outcome in self.outcomes}
        if REFUSED in ends or (self._findings and not self.opened):
            return REFUSED
        if ends & {FAILED, DIED} or self._findings:
            return FAILED
        if self.aborted:
            return "aborted"
        return "drained" if self.drained else DONE

    @property
    def pids(self) -> dict[str, int]:
        """The pids of the living: for people, and for tests that kill. The forkserver's stands under its name."""
        pids = {name: p.pid for name, p in self._processes.items() if p.pidfd >= 0 and not p.dead}
        return pids | ({"forkserver": self._forks.pid} if self._forks else {})

    # the loop

    def _step(self) -> None:
        for key, _ in self._selector.select(self._timeout()):
            if self._selector.get_map().get(key.fd) is key:  # what came before may have closed it
                key.data()
        now = time.monotonic()
        for process in self._processes.values():
            if process.due is not None and now >= process.due:
                self._succeed(process, now)
        if now >= self._until:
            self._until = now + AGAIN
            self._kill()
        self._turn()

    def _timeout(self) -> float | None:
        times = [process.due for process in self._processes.values() if process.due is not None]
        first = min([*times, self._until])
        left = max(0.0, first - time.monotonic())
        every = self._pauses.turn
        return None if left == float("inf") and every is None else min(left, float("inf") if every is None else every)

    def _watch(self, fd: Any, then: Callable[[], object]) -> None:
        self._selector.register(fd, selectors.EVENT_READ, then)

    def _print(self, output: Captured) -> None:
        if not output.show():
            self._ignore(output)

    def _ignore(self, fd: Any) -> None:
        """Watch something no more, if it was watched."""
        if fd not in (None, -1) and fd in self._selector.get_map():
            self._selector.unregister(fd)

    # the forkserver

    def _serve(self) -> None:
        self._forks = forks = Forks(self._show, self._preload)
        self._watch(forks, lambda: self._on_forks(forks))
        self._watch(forks.output, lambda: self._print(forks.output))

    def _on_forks(self, forks: Forks) -> None:
        for event in forks.heard():
            if isinstance(event, Born):
                self._born(self._processes[event.name], event)
            elif isinstance(event, Ended):
                self._status(forks, event)
            elif isinstance(event, Refusal):
                self._fail(findings.NO_FORKSERVER.at("forkserver", event.why))
                self._over(self._processes[event.name], None)
            else:
                self._lost(forks, event)

    def _lost(self, forks: Forks, event: Lost) -> None:
        """Replace a forkserver; what it was asked and had not answered may live all the same."""
        self._ignore(forks)
        self._ignore(forks.output)
        status = forks.close(LAST_WORDS)
        self._forks = None
        self._unready = 0 if event.ready else self._unready + 1
        if not event.ready and (status >= 0 or self._unready == SERVERS):
            self._fail(findings.NO_FORKSERVER.at("forkserver", "it ended before it was ready"))
        elif not self.stopping:
            self._serve()
        for process in self._processes.values():
            if process.server is forks:
                process.server = None
                self._orphaned(process)

    def _orphaned(self, process: Process) -> None:
        """Go on with a process whose server is gone: by its pidfd, by what it says, or by the end of its channel."""
        if process.pidfd >= 0:
            if process.dead:
                self._over(process, None)
        elif process.found():
            self._watch(process.pidfd, lambda: self._died(process))
        elif process.listener is not None and process.listener.gone:
            self._over(process, None)

    # one role

    def _begin(self, process: Process) -> None:
        if self._forks is None:
            raise AssertionError("roles are started only while there is a forkserver")
        process.begin(self._forks)
        if process.listener is not None and process.output is not None:
            output = process.output
            self._watch(process.listener, lambda: self._heard(process))
            self._watch(output, lambda: self._print(output))

    def _born(self, process: Process, event: Born) -> None:
        process.born(event.pid, event.pidfd)
        if not process.alive:  # it was given up meanwhile
            process.kill()
            return process.end()
        self._watch(process.pidfd, lambda: self._died(process))
        if self.stopping:
            process.order(STOP)

    def _take(self, process: Process) -> None:
        """Hear what a role says."""
        for report in process.heard():
            if report.kind == READY:
                self._ready(process)
            self._ground.heard(process.role.name, report)

    def _heard(self, process: Process) -> None:
        self._take(process)
        if process.listener is not None and process.listener.gone:
            self._ignore(process.listener)
        if process.server is None and process.pidfd < 0:
            self._orphaned(process)

    def _ready(self, process: Process) -> None:
        """Open the plant when all are ready; a successor joins at once."""
        process.ready = True
        if self.opened:
            self._open(process)
        elif all(p.ready or p.outcome is not None for p in self._processes.values()) and not self.stopping:
            self.opened = True
            for other in self._processes.values():
                self._open(other)

    def _open(self, process: Process) -> None:
        process.order(OPEN)
        if self.drained and process.role.ingress:
            process.order(DRAIN)

    def _died(self, process: Process) -> None:
        """Note a death; its status comes from the server, if there still is one."""
        process.dead = True
        self._ignore(process.pidfd)
        if process.server is None:
            self._over(process, None)

    def _status(self, forks: Forks, event: Ended) -> None:
        for process in self._processes.values():
            if process.pid == event.pid and process.server is forks:
                self._over(process, event.status)

    def _over(self, process: Process, status: int | None) -> None:
        """Judge the end of a process: was it the role's, or does a successor follow?"""
        self._take(process)
        for watched in (process.listener, process.output, process.pidfd):
            self._ignore(watched)
        unborn = process.pidfd < 0 and process.last is None and status is None
        process.end()
        self._ground.ring()
        outcome = process.ended(status)
        if self.stopping:
            told = outcome.status in (DONE, FAILED, REFUSED)  # also what went wrong besides is told
            process.outcome = outcome if told else replace(outcome, status=STOPPED, findings=())
        elif unborn:
            process.due = time.monotonic()  # its server died before it was forked: no fault of the role
        elif outcome.status in (DONE, REFUSED):
            self._settle(process, outcome)
        elif status in (None, -signal.SIGBUS) and (cut := self._ground.damage()):
            self._settle(process, replace(outcome, status=REFUSED, findings=cut))
        else:
            self._again(process, outcome)

    def _again(self, process: Process, outcome: Outcome) -> None:
        """Let a successor follow, as far as the role's policy goes."""
        role = process.role
        if role.restart != ON_FAILURE:
            return self._settle(process, outcome)
        if process.restarts >= role.limit:
            related = [(d.path, d.message) for d in outcome.findings]
            message = f"`{role.name}` ended {process.restarts + 1} times, its limit is {role.limit}"
            over = findings.RESTART_LIMIT.at(role.path or role.name, message, related)
            return self._settle(process, replace(outcome, findings=(over, *outcome.findings)))
        process.due = time.monotonic() + self._pauses.before(process.restarts)
        process.restarts += 1

    def _settle(self, process: Process, outcome: Outcome) -> None:
        """Note how a role ended; an end that is not as it should be ends the plant."""
        process.outcome = outcome if outcome.status != STOPPED else replace(outcome, status=FAILED)
        if outcome.status != DONE:
            self._stop()

    def _succeed(self, process: Process, now: float) -> None:
        """Start a successor, once its predecessor's lock is free."""
        if self._forks is None or not self._ground.free(process.role.name):
            process.due = now + AGAIN
        else:
            self._begin(process)

    # the end

    def _on_bell(self) -> None:
        os.eventfd_read(self._bell)
        while self._answered < self._asked:
            self._answered += 1
            if self._answered == 1 and self.opened and not self.stopping and not self._at_once:
                self._drain()
            else:
                self.aborted = True
                self._stop()

    def _drain(self) -> None:
        self.drained = True
        for process in self._processes.values():
            if process.role.ingress and process.ready:
                process.order(DRAIN)

    def _fail(self, found: Diagnostic) -> None:
        self._findings += (found,)
        self._stop()

    def _stop(self) -> None:
        """Tell all to stop, and give up what waits for a successor."""
        if self.stopping:
            return
        self.stopping = True
        self._until = time.monotonic() + self._pauses.patience
        for process in self._processes.values():
            process.order(STOP)
            if not process.alive and process.outcome is None:
                process.due = None
                process.outcome = Outcome(process.role.name, STOPPED, process.restarts)
        self._ground.ring()

    def _kill(self) -> None:
        for process in self._processes.values():
            process.kill()
            if process.alive and process.pidfd < 0:  # asked for, and never born
                self._over(process, None)

    def _close(self) -> None:
        """Leave no process and no descriptor, whatever happened."""
        for process in self._processes.values():
            process.kill()
            process.wait()
            process.end()
        if self._forks is not None:
            self._forks.close()
        self._selector.close()
        self._closed = True  # first: a signal may come in between
        os.close(self._bell)
