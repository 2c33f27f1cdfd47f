"""One role as its supervisor sees it: what to start, the process that it has by now, and how it ended.

Rule 1. A process is dead when its pidfd says so; one that has none yet, when its channel is closed.
Rule 2. What it said last is how it ended. A death without a word is a failure, whatever its status.
Rule 3. A descriptor has one owner: everything of a process is opened in `begin` and `born`, and closed in `end`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from byteor.diag import Diagnostic
from byteor.plant import findings
from byteor.plant.channel import ENDS, FAILED, STARTING, STOPPED, Captured, Listener, Report, Show, pair
from byteor.plant.forks import Forks

DIED = "died"
ON_FAILURE = "on_failure"
_RULES = {DIED: findings.ROLE_DIED, STOPPED: findings.ROLE_DIED, FAILED: findings.ROLE_FAILED}


@dataclass(frozen=True, slots=True)
class Role:
    """What to start: `run` is `module:function`, called as `forkserver` says; `restart` and `limit` as in a placement.

    An `ingress` is asked to end when the plant is drained. `path` is the place of findings, else the name.
    """

    name: str
    run: str
    argument: Mapping[str, Any] = field(default_factory=dict)
    restart: str = "never"
    limit: int = 0
    ingress: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a role ended: done | stopped | failed | refused | died; `data` is what it told with its last word.

    `exit` is the status of its last process (negative: a signal), None where nobody could be asked.
    """

    role: str
    status: str
    restarts: int = 0
    exit: int | None = None
    text: str = ""
    findings: tuple[Diagnostic, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Process:
    """A role and its process; `restarts` counts the successors, `due` is when the next one may start."""

    role: Role
    show: Show
    restarts: int = 0
    due: float | None = None
    outcome: Outcome | None = None
    listener: Listener | None = None
    output: Captured | None = None
    server: Forks | None = None
    pid: int = 0
    pidfd: int = -1
    dead: bool = False
    ready: bool = False
    last: Report | None = None

    def begin(self, server: Forks) -> None:
        """Ask for a new process."""
        mine, theirs = pair()
        reading, writing = os.pipe()
        server.ask(self.role.name, self.role.run, self.role.argument, theirs.fileno(), writing)
        theirs.close()
        os.close(writing)
        self.listener, self.output = Listener(mine), Captured(self.role.name, reading, self.show)
        self.server, self.pid, self.pidfd, self.due = server, 0, -1, None
        self.dead, self.ready, self.last = False, False, None

    @property
    def alive(self) -> bool:
        """Whether there is a process, or one has been asked for."""
        return self.listener is not None

    def born(self, pid: int, pidfd: int) -> None:
        """Note the process that was forked."""
        self.pid, self.pidfd = pid, pidfd

    def found(self) -> bool:
        """Look for the process that told its pid, where nobody else could tell: was it there, it is watched now."""
        if not self.pid:
            return False
        try:
            self.born(self.pid, os.pidfd_open(self.pid))
        except ProcessLookupError:
            return False
        return True

    def heard(self) -> tuple[Report, ...]:
        """What the role said since the last time; its last word is kept."""
        if self.listener is None:
            return ()
        reports = self.listener.heard()
        for report in reports:
            if report.kind == STARTING:
                self.pid = int(report.data["pid"])
            if self.last is None or self.last.kind not in ENDS:
                self.last = report
        return reports

    def order(self, what: str) -> None:
        if self.listener is not None:
            self.listener.order(what)

    def kill(self) -> None:
        """End the process without asking it."""
        if self.pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):  # it is dead and reaped, and nobody has told yet
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def wait(self) -> None:
        """Wait for its death."""
        if self.pidfd >= 0:
            select.select([self.pidfd], [], [])

    def end(self) -> None:
        """Hear and show the rest, and close everything of this process."""
        self.heard()
        if self.listener is not None:
            self.listener.close()
        if self.output is not None:
            self.output.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
        self.listener = self.output = self.server = None
        self.pidfd, self.ready = -1, False

    def ended(self, status: int | None) -> Outcome:
        """How this process ended, as if it were the role's last."""
        last = self.last if self.last is not None and self.last.kind in ENDS else Report(DIED, _death(status))
        found = last.findings or _told(self.role, last)
        return Outcome(self.role.name, last.kind, self.restarts, status, last.text, found, last.data)


def _death(status: int | None) -> str:
    """A death in words."""
    if status is None:
        return "it ended while nobody could ask for its status"
    if status < 0:
        return f"it was killed by {signal.Signals(-status).name}"
    return f"it ended with status {status}"


def _told(role: Role, last: Report) -> tuple[Diagnostic, ...]:
    """The finding of an end that brought none."""
    rule = _RULES.get(last.kind)
    said = last.text or "it stopped, and nobody had told it to"
    return (rule.at(role.path or role.name, f"`{role.name}`: {said}"),) if rule else ()
