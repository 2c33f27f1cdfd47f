"""What the main thread of a role's process does while its runners run: it waits, and costs nothing.

Rule 1. It sleeps in one `poll`: on its channel, on its supervisor, and on the end of its runners.
Rule 2. A supervisor is gone when its lock is free, or another's. Its pidfd wakes at its death; where its pid means
    nothing here (another pid namespace) the lock is asked once a second.
Rule 3. A role whose supervisor is gone is told to stop, and leaves its regions as they are.
Rule 4. A runner that does not come back within `PATIENCE` after a stop is left behind.
Rule 5. Here a signal wakes and is told like an order; the roles of a supervisor ignore Ctrl-C and SIGTERM.

    with Watch(teller, lock, on_order) as watch:     # teller None: by hand; lock None: `--alone`
        ... start the runners; each calls watch.over() at its end ...
        why = watch.wait()        # OVER | STOPPED (an order or a signal) | LOST (no supervisor) | LEFT (Rule 4)

`on_order(order)` is called in the main thread with "open", "drain" or "stop"; a lost supervisor is a "stop".
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from byteor.diag import Refused
from byteor.plant import directory, findings
from byteor.plant.channel import DRAIN, STOP, Teller
from byteor.transport import locks

OVER, STOPPED, LOST, LEFT = "over", "stopped", "lost", "left"
PATIENCE = 2.0
LOOK = 1.0  # seconds between two questions, where nothing wakes
FREEING = 0.02  # a dead process frees its lock once its memory is gone, some milliseconds after its pidfd wakes


@dataclass(slots=True)
class Supervisor:
    """The supervisor as a role sees it: a lock, who had it first, and a pidfd if it can be had (else -1)."""

    lock: Path
    who: tuple[int, int]
    pidfd: int

    @property
    def alive(self) -> bool:
        """Whether the same one still holds the lock: another one would wait for this role's end."""
        try:
            return locks.held(self.lock, directory.OFFSET) and directory.supervisor(self.lock) == self.who
        except Refused:  # the folder was removed, which a supervisor does last
            return False

    def close(self) -> None:
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


def supervisor_of(lock: Path) -> Supervisor:
    """Find the process that holds the lock, if it can be seen from here."""
    who = pid, started = directory.supervisor(lock)
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(pid) if pid > 0 else -1
        if pidfd >= 0 and _started(pid) == started:  # a number alone could be another process by now
            return Supervisor(lock, who, pidfd)
        if pidfd >= 0:
            os.close(pidfd)
    return Supervisor(lock, who, -1)


def _started(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])


def await_supervisor(lock: Path, seconds: float, sleep: Callable[[float], object] = time.sleep) -> None:
    """Wait a bounded time for a supervisor: for a role that was started by hand."""
    end = time.monotonic() + seconds
    while not _held(lock):
        if time.monotonic() >= end:
            raise Refused([findings.NO_SUPERVISOR.at(str(lock.parent), f"nobody came in {seconds:g} s")])
        sleep(0.05)


def _held(lock: Path) -> bool:
    return lock.exists() and locks.held(lock, directory.OFFSET)


class Watch:
    """The wait of a role's main thread; a context that closes what it opened."""

    def __init__(self, teller: Teller | None, lock: Path | None, on_order: Callable[[str], object]) -> None:
        self._teller, self._on_order = teller, on_order
        self._supervisor = supervisor_of(lock) if lock is not None else None
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._open = threading.Lock()  # held while a runner rings: the bell is not closed under it
        self._ended = False
        self._signals = self.signal = 0  # how many came, and which first
        self._why = OVER
        self._until = float("inf")
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        if teller is not None:
            self._poll.register(teller.fileno(), select.POLLIN)
        if self._supervisor is not None and self._supervisor.pidfd >= 0:
            self._poll.register(self._supervisor.pidfd, select.POLLIN)

    def over(self) -> None:
        """Say that the runners are done; from any thread."""
        with self._open:
            self._ended = True
            self._ring()

    def _ring(self) -> None:
        if self._bell >= 0:
            os.eventfd_write(self._bell, 1)

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Take Ctrl-C and SIGTERM as orders inside the block: the first drains, the second stops. By hand only."""
        before = [(number, signal.signal(number, self._on_signal)) for number in (signal.SIGINT, signal.SIGTERM)]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        self.signal = self.signal or number
        self._ring()

    def wait(self) -> str:
        """Wait for the end of the runners, passing orders on; say why it came."""
        told = 0
        while not self._ended:
            if time.monotonic() >= self._until:
                return LEFT
            ready = {fd for fd, _ in self._poll.poll(self._timeout())}
            if self._bell in ready:
                os.eventfd_read(self._bell)
            for _ in range(told, self._signals):
                told += 1
                self._order(DRAIN if told == 1 else STOP)
            self._hear(ready)
            self._look(ready)
        return self._why

    def _timeout(self) -> float | None:
        """Milliseconds to sleep at most."""
        left = max(0.0, self._until - time.monotonic())
        if self._asks:
            left = min(left, LOOK if self._supervisor is not None and self._supervisor.pidfd < 0 else left)
        return None if left == float("inf") else left * 1000

    @property
    def _asks(self) -> bool:
        """Whether the supervisor is still of interest."""
        return self._supervisor is not None and self._why == OVER

    def _hear(self, ready: set[int]) -> None:
        if self._teller is None or self._teller.fileno() not in ready:
            return
        orders = self._teller.orders()
        if orders is None:  # closed over there: the lock says the rest
            self._poll.unregister(self._teller.fileno())
            self._teller = None
        for order in orders or ():
            self._order(order)

    def _look(self, ready: set[int]) -> None:
        """Ask for the lock when the supervisor may be gone."""
        supervisor = self._supervisor
        if supervisor is None or not self._asks:
            return
        died = supervisor.pidfd in ready
        if died:
            self._poll.unregister(supervisor.pidfd)
            supervisor.close()
        if (died or supervisor.pidfd < 0) and not _still(supervisor, died):
            self._stop(LOST)

    def _order(self, order: str) -> None:
        if order == STOP:
            self._stop(STOPPED)
        else:
            self._on_order(order)

    def _stop(self, why: str) -> None:
        if self._why == OVER:
            self._why, self._until = why, time.monotonic() + PATIENCE
            self._on_order(STOP)

    def close(self) -> None:
        with self._open:
            os.close(self._bell)
            self._bell = -1
        if self._supervisor is not None:
            self._supervisor.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _still(supervisor: Supervisor, died: bool) -> bool:
    """Whether somebody holds the lock; a process that died is given the moment that it needs to free it."""
    end = time.monotonic() + (LOOK if died else 0.0)
    while (alive := supervisor.alive) and time.monotonic() < end:
        time.sleep(FREEING)
    return alive
