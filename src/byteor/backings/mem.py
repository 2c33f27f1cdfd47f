"""Rings in the memory of one process.

Rule 1. Words and slots start on a line; their addresses stay the same as long as the object lives.
Rule 2. Slots are a dense array of records; dead cells are there only when a stage filters.
"""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from byteor.abi import byteor_v1
from byteor.abi.family import Kind
from byteor.abi.layout import LINE, Layout
from byteor.abi.shapes import shape_bits
from byteor.diag import Refused
from byteor.kernel.words import Words as Words


def lines(nbytes: int) -> np.ndarray:
    """Zeroed bytes that start on a line."""
    block = np.zeros(nbytes + LINE, np.uint8)
    start = -block.ctypes.data % LINE
    return block[start : start + nbytes]


class Owner:
    """One byte of a block, held by somebody in this process."""

    def __init__(self, offsets: set[int], offset: int) -> None:
        self._offsets, self._offset = offsets, offset
        self.alive = True

    def release(self) -> bool:
        """Free the byte; False when it was free already."""
        if self.alive:
            self.alive = False
            self._offsets.discard(self._offset)
            return True
        return False


class Block(Words):
    """What a region is in shared memory, in the memory of this process: one table's words, arrays and locks."""

    def __init__(self, kind: Kind, params: Mapping[str, int], capabilities: int) -> None:
        self.layout, self.kind, self.params = kind.layout(**params), kind, kind.chosen(params)
        super().__init__(self.layout, lines(self.layout.bytes))
        self.path, self.generation, self.removed = "", secrets.randbits(63) | 1, False
        self.capabilities = capabilities | shape_bits(self.params)
        self._held: set[int] = set()
        self._gate = threading.Lock()

    def try_lock(self, name: str, index: int = 0) -> Owner | None:
        """Win the byte at a cell; None when somebody has it."""
        offset = self.layout.cells[name].at(index)
        with self._gate:
            if offset in self._held:
                return None
            self._held.add(offset)
            return Owner(self._held, offset)

    def held(self, name: str, index: int = 0) -> bool:
        """Whether somebody has the byte at a cell."""
        return self.layout.cells[name].at(index) in self._held

    def sync(self) -> None:
        """There is no disk below."""

    def close(self) -> None:
        """Let go; the memory goes with the last view of it."""


def block(kind: Kind, params: Mapping[str, int], capabilities: int = 0) -> Block:
    """Make an open, empty block of a kind, or refuse its parameters."""
    if found := kind.findings(**params):
        raise Refused(found)
    made = Block(kind, params, capabilities)
    if "closed" in made.layout.cells:
        for i in range(made.layout.cells["closed"].count):
            made.write("closed", byteor_v1.OPEN, i)
    return made


def _words(layout: Layout) -> Words:
    return Words(layout, lines(max(layout.bytes, LINE)))


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring: its words, its slots, and a row of dead cells for each filtering stage."""

    words: Words
    slots: np.ndarray
    dead: np.ndarray


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings of all shards, their slots and dead cells in one array each, a ring every so many slots."""

    shards: tuple[Ring, ...]
    slots: np.ndarray
    dead: np.ndarray


def create(gates: int, dtype: np.dtype, capacity: int, filters: int = 0, shards: int = 1) -> Rings:
    """Make open, empty rings."""
    stride = capacity if shards == 1 else _stride(capacity, dtype.itemsize)
    slots = lines(shards * stride * dtype.itemsize).view(dtype)
    row = -(-shards * stride // LINE) * LINE  # each filtering stage writes lines of its own
    dead = lines(max(filters, 1) * row).reshape(max(filters, 1), row)
    parts = [slice(i * stride, i * stride + capacity) for i in range(shards)]
    return Rings(tuple(Ring(ring_words(gates), slots[p], dead[:, p]) for p in parts), slots, dead)


def _stride(capacity: int, size: int) -> int:
    """From one shard's slots to the next's: at least a line of bytes more than they need.

    Rings that are a power of two apart would meet in one set of the cache, and throw each other's lines out.
    """
    unit = math.lcm(size, LINE) // size  # slots that fill whole lines
    return (-(-capacity // unit) + 1) * unit


def ring_words(gates: int) -> Words:
    """Make the words of one open ring."""
    words = _words(byteor_v1.ring(gates))
    words.write("closed", byteor_v1.OPEN)
    return words


def runner() -> Words:
    """Make the words of one runner."""
    return _words(byteor_v1.runner())


def control() -> Words:
    """Make the words of one run."""
    return _words(byteor_v1.control())
