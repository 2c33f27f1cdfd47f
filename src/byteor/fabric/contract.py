"""What a link asks of a fabric: three calls. It may lose messages, repeat them, and come and go.

Rule 1. A message arrives whole or not at all. Nothing else is promised: not that it arrives, not that it does once.
Rule 2. One thread receives, which also connects; any may send. Nothing waits longer than it was told to, but for a
    connection that is being made.
Rule 3. Where records go is asked once their head is there: they are received in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from byteor.diag import Diagnostic
from byteor.fabric.messages import Message

Place = Callable[[Message], Sequence[memoryview]]  # where the bytes behind a head go; together as long as they
Say = Callable[[Diagnostic], object]  # told of what is wrong, and may pass
NO_PEER_AFTER = 4.0  # seconds; what is asked then is answered before five


class Fabric(Protocol):
    """One end of a link."""

    def open(self) -> None:
        """Take what the end needs, or raise `Refused`; it is not connected yet."""

    def up(self) -> int:
        """The number of the connection that there is, 0 for none; each new one has another number."""

    def send(self, head: bytes, parts: Sequence[memoryview] = (), wait: bool = True) -> bool:
        """Send one message; no, when it certainly does not arrive, or would have to wait and may not."""

    def recv(self, timeout: float, place: Place) -> Message | None:
        """The next message, its records in place; None after so many seconds without any."""

    def reset(self) -> None:
        """Give the connection up: it is of no use any more."""

    def close(self) -> None:
        """Give everything up."""
