"""A supervisor's end of its forkserver: start one, ask it for processes, hear of them, see it gone.

Rule 1. Nothing here waits: asks are kept until the server is ready, and go one at a time.
Rule 2. A server that is gone took its open asks with it, or had just served them: `lost` says so once, and gives
    them back. Whether such a child lives is told by its own channel.
Rule 3. `descriptors` are watched by the supervisor's loop, which calls `heard` when one is ready.

    forks = Forks(show); forks.ask("role", "module:function", {}, channel, output)
    for event in forks.heard(): Born(name, pid, pidfd) | Ended(pid, status) | Refusal(name, why) | Lost(names, ready)
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byteor.plant import forkserver
from byteor.plant.channel import Captured, Show

NAME = "forkserver"


@dataclass(frozen=True, slots=True)
class Born:
    """A process was forked; the pidfd is the receiver's to close."""

    name: str
    pid: int
    pidfd: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A child of the server ended, with this status."""

    pid: int
    status: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server could not fork."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The server is gone; `asked` were not answered. `ready` says whether it ever worked."""

    asked: tuple[str, ...]
    ready: bool


Event = Born | Ended | Refusal | Lost


@dataclass(slots=True)
class _Ask:
    """One process to be forked; its descriptors are copies of the asker's."""

    ticket: int
    name: str
    run: str
    argument: Mapping[str, Any]
    fds: tuple[int, ...]

    def message(self) -> dict[str, Any]:
        return {"ticket": self.ticket, "run": self.run, "argument": dict(self.argument)}

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)


class Forks:
    """One forkserver, from its start to its end."""

    def __init__(self, show: Show, preload: tuple[str, ...] = forkserver.PRELOAD) -> None:
        self.ready = False
        self._asks: deque[_Ask] = deque()
        self._sent: _Ask | None = None
        self._tickets = 0
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reading, writing = os.pipe()
        self.output = Captured(NAME, reading, show)
        command = [sys.executable, "-P", "-m", forkserver.__name__, str(theirs.fileno())]
        # Blocked until it ignores them: a Ctrl-C is for the supervisor, also while the server comes up.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, forkserver.IGNORED)
        try:
            self._process = subprocess.Popen(
                command,
                env=forkserver.environment(os.environ),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        os.close(writing)
        forkserver.send(self._end, {"path": sys.path, "preload": preload})

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        return self._end.fileno()

    def ask(self, name: str, run: str, argument: Mapping[str, Any], channel: int, output: int) -> None:
        """Ask for a process that runs `run`; the descriptors are copied."""
        self._tickets += 1
        self._asks.append(_Ask(self._tickets, name, run, argument, (os.dup(channel), os.dup(output))))
        self._send()

    def _send(self) -> None:
        # One at a time: the queue of such a socket is short, and a supervisor must never wait for its server.
        if self.ready and self._sent is None and self._asks:
            self._sent = self._asks.popleft()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `heard` meets the end, and tells
                forkserver.send(self._end, self._sent.message(), self._sent.fds)

    def heard(self) -> list[Event]:
        """All that the server said since the last time; after `Lost` there is no more."""
        events: list[Event] = []
        while (event := self._next()) is not None:
            events += event
            if events and isinstance(events[-1], Lost):
                break
        return events

    def _next(self) -> list[Event] | None:
        """The event of one message, if it has one; None when there is no message."""
        try:
            message, fds = forkserver.receive(self._end, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            message, fds = None, []
        if message is None:
            return [self._lost()]
        if "ready" in message:
            self.ready = True
        events = self._answer(message, fds)
        self._send()
        return events

    def _answer(self, message: dict[str, Any], fds: list[int]) -> list[Event]:
        if "status" in message:
            return [Ended(message["pid"], message["status"])]
        ask, self._sent = self._sent, None
        if ask is None:  # it said that it is ready
            return []
        ask.close()
        if "refused" in message:
            return [Refusal(ask.name, message["refused"])]
        return [Born(ask.name, message["pid"], *fds)]

    def _lost(self) -> Lost:
        open_asks = [*([self._sent] if self._sent else []), *self._asks]
        for ask in open_asks:
            ask.close()
        self._sent = None
        self._asks.clear()
        return Lost(tuple(ask.name for ask in open_asks), self.ready)

    def close(self, patience: float = 0.0) -> int:
        """End the server, at once or if it does not end by itself within `patience`; answer with its status.

        Its children live on, but for those that were asked for and not yet spoken of.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._process.send_signal(signal.SIGKILL)  # it may be in the middle of its imports, or of a fork
        status = self._process.wait()
        for event in self.heard():
            if isinstance(event, Born):
                signal.pidfd_send_signal(event.pidfd, signal.SIGKILL)
                os.close(event.pidfd)
        self._end.close()
        self.output.close()
        return status
