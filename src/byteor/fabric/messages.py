"""The messages of a link, as bytes: DATA and PROBE go with the records, STATE comes back.

Rule 1. One head of fixed length for all three; behind it lie the records of DATA, and nothing else.
Rule 2. What both sides must agree on stands in every message: whoever reads one need not know which came before.
Rule 3. A head is bytes of somebody else: what is none is None, and a length is never believed beyond `LARGEST`.

    magic  4s   kind u8  flags u8  -- u16   length u32
    lane  u64   generation u64    contract 16s             what both sides must agree on
    home  u64   epoch u64                                  the sender's lane region, and its number of starts
    at    i64   more i64                                   DATA: first, count; STATE: committed, limit; PROBE: next, 0
    field i64   word i64   closed i64                      a mark, and the final sequence (-1: open)
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

MAGIC = b"byr1"
DATA, STATE, PROBE = 1, 2, 3
REWIND, FINISHED = 1, 2  # flags: of STATE, send again from `at`; of PROBE and its answer, all is done
LOWEST = -(2**63)  # the field of a mark that says nothing
OPEN = -1
LARGEST = 16 << 20  # bytes behind a head
_HEAD = struct.Struct("<4sBBxxIQQ16sQQqqqqq")
HEAD_BYTES = _HEAD.size


class Line(NamedTuple):
    """What both sides of a link must agree on: lane, run, and the form of the records."""

    lane: int
    generation: int
    contract: bytes


class News(NamedTuple):
    """What is said of a lane beside its records: a mark, and the final sequence once there is one."""

    field: int = LOWEST
    word: int = LOWEST
    closed: int = OPEN


NOTHING = News()


class Message(NamedTuple):
    """One message without its records; `home` and `epoch` are its sender's."""

    kind: int
    flags: int
    length: int
    line: Line
    home: int
    epoch: int
    at: int
    more: int
    news: News


def lane_number(name: str) -> int:
    """The number that stands for a lane's name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def contract(text: str) -> bytes:
    """What stands for the form of a lane's records."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def encode(m: Message) -> bytes:
    """A message's head as bytes."""
    line = m.line
    return _HEAD.pack(
        *(MAGIC, m.kind, m.flags, m.length, line.lane, line.generation, line.contract),
        *(m.home, m.epoch, m.at, m.more, *m.news),
    )


def decode(head: bytes | bytearray | memoryview) -> Message | None:
    """A message from its head; None for what is none."""
    if len(head) < HEAD_BYTES:
        return None
    magic, kind, flags, length, lane, generation, form, home, epoch, at, more, *news = _HEAD.unpack_from(head)
    if magic != MAGIC or not DATA <= kind <= PROBE or length > LARGEST or (length > 0 and kind != DATA):
        return None
    return Message(kind, flags, length, Line(lane, generation, form), home, epoch, at, more, News(*news))
