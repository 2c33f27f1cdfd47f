"""How an attempt ends, and how a wait does.

Rule 1. An attempt answers with a value; a wait that cannot succeed any more raises.
Rule 2. Death is not closing: a dead peer may have a successor, and waiting again is then right.
"""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """What became of an attempt to send; true when the message was taken."""

    SENT = "sent"
    FULL = "full"
    CLOSED = "closed"
    TOO_LONG = "too long (T033)"

    def __bool__(self) -> bool:
        return self is Outcome.SENT


class Closed(Exception):
    """The stream has ended: nothing follows, or nothing more may be sent."""


class Died(Exception):
    """The other end is dead, and nobody has taken its place yet."""

    def __init__(self, who: str, pid: int) -> None:
        super().__init__(f"{who} (process {pid}) died; a successor can take its place and go on where it was")
        self.who, self.pid = who, pid


class Contended(Exception):
    """The writer passed every look of a reader: it writes faster than one copy is made; take more slots or segments."""
