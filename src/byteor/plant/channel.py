"""What the process of a role says to its supervisor, and what it is told: lines of JSON over one socket.

Rule 1. A role says `starting`, `ready`, perhaps `progress` or `drained`, and last how it ended: `done`, `stopped`,
    `failed`, or `refused`, which no second try would change.
Rule 2. A supervisor says `open` when all are ready, `drain` when no more input shall come, `stop` to end at once.
Rule 3. Whose other end is gone says nothing and is told nothing: that is seen elsewhere, and is no error here.
Rule 4. What a role prints is shown line by line; a line that does not end is shown in pieces.

    role:        teller.tell("ready"); teller.tell("done", counters={"in": 3}); teller.orders() -> ("drain",)
    supervisor:  mine, theirs = pair(); listener = Listener(mine); listener.heard() -> (Report, ...)
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from byteor import diag

STARTING, READY, PROGRESS, DRAINED = "starting", "ready", "progress", "drained"
DONE, STOPPED, FAILED, REFUSED = ENDS = "done", "stopped", "failed", "refused"
OPEN, DRAIN, FINISH, STOP = "open", "drain", "finish", "stop"
LONGEST = 8 << 10
_BLOCK = 64 << 10
_BLOCKS = 4  # hold more than a pipe

Show = Callable[[str, str], object]


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that a role said: findings if it was refused, else a text, and data by name."""

    kind: str
    text: str = ""
    findings: tuple[diag.Diagnostic, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a new channel."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


class Lines:
    """Bytes in, whole lines out."""

    def __init__(self, longest: int = 0) -> None:
        self._rest, self._longest = b"", longest

    def cut(self, data: bytes) -> list[bytes]:
        """The lines that are whole by now, without their ends; so counts what is `longest`, if that is given."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._longest and len(self._rest) >= self._longest:
            lines.append(self._rest)
            self._rest = b""
        return lines

    def rest(self) -> list[bytes]:
        """What came last without an end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


class Teller:
    """A role's end of the channel."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._lines = end, Lines()

    def fileno(self) -> int:
        return self._end.fileno()

    def tell(self, kind: str, text: str = "", findings: Iterable[diag.Diagnostic] = (), **data: Any) -> bool:
        """Say one thing; no, when nobody is there to hear it."""
        said = {"kind": kind, "text": text, "findings": [asdict(d) for d in findings], "data": data}
        try:
            self._end.sendall(json.dumps(said).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def orders(self) -> tuple[str, ...] | None:
        """The orders that have come; () when none has, None when none will come any more."""
        data = _received(self._end)
        return None if data == b"" else tuple(line.decode() for line in self._lines.cut(data or b""))

    def close(self) -> None:
        self._end.close()


class Listener:
    """A supervisor's end of the channel; `gone` says that the other end is closed and all has been heard."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._lines, self.gone = end, Lines(), False

    def fileno(self) -> int:
        return self._end.fileno()

    def heard(self) -> tuple[Report, ...]:
        """All that was said since the last time."""
        reports: list[Report] = []
        while (data := _received(self._end)) is not None:
            if not data:
                self.gone = True
                break
            reports += map(_report, self._lines.cut(data))
        return tuple(reports)

    def order(self, what: str) -> None:
        """Tell the role something; one that is gone does not hear it."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._end.sendall(what.encode() + b"\n")

    def close(self) -> None:
        self._end.close()


def _received(end: socket.socket) -> bytes | None:
    """What is there by now: None for nothing, b"" for the end."""
    try:
        return end.recv(_BLOCK, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except ConnectionResetError:  # closed over there, with something unread in it
        return b""


def _report(line: bytes) -> Report:
    said = json.loads(line)
    found = tuple(_finding(data) for data in said["findings"])
    return Report(said["kind"], said["text"], found, said["data"])


def _finding(data: dict[str, Any]) -> diag.Diagnostic:
    related = tuple((path, label) for path, label in data["related"])
    return diag.Diagnostic(data["path"], data["code"], data["message"], related, data["help"])


class Captured:
    """What a process prints into a pipe, shown line by line as `show(name, line)`."""

    def __init__(self, name: str, end: int, show: Show) -> None:
        self._name, self._fd, self._show = name, end, show
        self._lines = Lines(LONGEST)
        os.set_blocking(end, False)

    def fileno(self) -> int:
        return self._fd

    def show(self) -> bool:
        """Show what has been printed, a block at most; no, when the pipe is closed over there."""
        data = self._read()
        self._put(self._lines.cut(data or b""))
        return data != b""

    def _read(self) -> bytes | None:
        try:
            return os.read(self._fd, _BLOCK)
        except BlockingIOError:
            return None

    def _put(self, lines: list[bytes]) -> None:
        for line in lines:
            self._show(self._name, line.decode(errors="backslashreplace").rstrip("\r"))

    def close(self) -> None:
        """Show the rest, whoever may still hold the other end, and let go of the pipe."""
        for _ in range(_BLOCKS):
            self.show()
        self._put(self._lines.rest())
        os.close(self._fd)
