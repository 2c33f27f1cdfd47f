"""What both ends of a lane know of it: how many rings and readers, where slots and bells are, what a message is.

Rule 1. Everything here is a copy that was judged when the lane was opened; live words are not asked for sizes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import BITS
from byteor.diag import Refused
from byteor.kernel.wait import NOBODY
from byteor.lanes import findings as t
from byteor.lanes.cells import Block, dead
from byteor.lanes.envelope import Envelope
from byteor.lanes.making import blocks, strategy
from byteor.lanes.typed import Type, raw


class Form:
    """The facts of one lane; `dtype` is None when its messages are raw bytes."""

    def __init__(self, name: str, block: Block, dtype: Type | None) -> None:
        self.name, self.block = name, block
        self.rings, self.readers = block.params["rings"], block.params["gates"]
        self.capacity, self.slot_bytes = block.params["capacity"], block.params["slot_bytes"]
        self.is_raw = bool(block.params["lengths"])
        self.dtype: Type = raw(self.slot_bytes) if dtype is None else dtype
        self.may_block, self.is_enveloped = blocks(block), bool(block.capabilities & BITS["enveloped"])

    def gates(self, ring: int) -> range:
        """The indices of a ring's gates."""
        return range(ring * self.readers, (ring + 1) * self.readers)

    def bells(self, name: str, indices: Iterable[int]) -> tuple[int, ...]:
        """The addresses of bells, where anybody may sleep."""
        return tuple(self.block.address(name, i) for i in indices) if self.may_block else NOBODY

    def slots(self, ring: int) -> np.ndarray[Any, Any]:
        """A ring's slots: records, or rows of bytes."""
        every = self.block.array("slots").reshape(self.rings, self.capacity, self.slot_bytes)
        mine: np.ndarray[Any, Any] = every[ring]
        return mine if self.is_raw else mine.reshape(-1).view(self.dtype)

    def lengths(self, ring: int) -> np.ndarray[Any, Any] | None:
        """The lengths of what a ring's slots hold, when messages are raw."""
        if not self.is_raw:
            return None
        return self.block.array("length", np.uint32)[ring * self.capacity : (ring + 1) * self.capacity]

    def put(self, slots: np.ndarray[Any, Any], at: int, message: Any) -> None:
        """Write one record: a tuple, or a record of the lane's own type."""
        if isinstance(message, np.generic | np.ndarray) and message.dtype != self.dtype:
            raise Refused([t.OTHER_TYPE.at(self.name, f"{message.dtype} instead of {self.dtype}")])
        slots[at] = message

    def packed(self, message: Any) -> Any:
        """The bytes of a raw message; on an enveloped lane, with its header."""
        if not self.is_enveloped:
            return message
        return (message if isinstance(message, Envelope) else Envelope(message)).encode(self.name)

    def rows(self, rows: Any) -> np.ndarray[Any, Any]:
        """Records as a dense array of the lane's own type."""
        if isinstance(rows, np.ndarray) and (rows.dtype != self.dtype or rows.ndim != 1):
            found = f"{rows.dtype} in {rows.ndim} dimensions"
            raise Refused([t.OTHER_TYPE.at(self.name, f"{found} instead of {self.dtype} in one")])
        return np.ascontiguousarray(rows, self.dtype)

    def strategy(self, wait: str | None) -> int:
        """How an end waits; by sleeping on its bell where there are bells, unless it says otherwise."""
        return strategy(self.name, wait, self.may_block)

    def refuse_raw(self) -> None:
        """Refuse what needs records."""
        if self.is_raw:
            raise Refused([t.NOT_COMPILED.at(self.name, "its messages are raw bytes")])

    def reader_dead(self, reader: int) -> int:
        """The pid of a reader that died; 0 when it lives, left in order, or never came."""
        return dead(self.block, "gate", reader)
