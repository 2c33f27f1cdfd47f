"""How an attempt ends, and how a wait does.

Rule 1. An attempt answers with a value; a wait that cannot succeed any more raises.
Rule 2. Death is not closing: a dead peer may have a successor, and waiting again is then right.
"""

from __future__ import annotations

from enum import Enum


class Outcome(int, Enum):
    """What became of an attempt to send; true when the message was taken.

    Its truth is that of a number, because loops ask for it at every message: a method of Python's would cost as much
    as sending does. What is not true is still told apart.
    """

    SENT = 1, "sent"
    FULL = 0, "full"
    CLOSED = 0, "closed"
    TOO_LONG = 0, "too long (T033)"

    def __new__(cls, truth: int, text: str) -> Outcome:
        made = int.__new__(cls, truth)
        made._value_ = text
        return made

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__
    __repr__ = __str__ = Enum.__str__


class Closed(Exception):
    """The stream has ended: nothing follows, or nothing more may be sent."""


class Died(Exception):
    """The other end is dead, and nobody has taken its place yet."""

    def __init__(self, who: str, pid: int) -> None:
        super().__init__(f"{who} (process {pid}) died; a successor can take its place and go on where it was")
        self.who, self.pid = who, pid


class Contended(Exception):
    """The writer passed every look of a reader: it writes faster than one copy is made; take more slots or segments."""
