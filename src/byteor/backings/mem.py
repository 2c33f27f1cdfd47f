"""Rings in the memory of one process.

Rule 1. Words and slots start on a line; their addresses stay the same as long as the object lives.
Rule 2. Slots are a dense array of records; dead cells are there only when a stage filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from byteor.abi import byteor_v1
from byteor.abi.layout import LINE, Layout


def lines(nbytes: int) -> np.ndarray:
    """Zeroed bytes that start on a line."""
    block = np.zeros(nbytes + LINE, np.uint8)
    start = -block.ctypes.data % LINE
    return block[start : start + nbytes]


class Words:
    """The words of one layout, by name: `address` for the kernel, `read` and `write` at rest."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._words = lines(max(layout.bytes, LINE)).view(np.int64)
        self._base = self._words.ctypes.data

    def address(self, name: str, index: int = 0) -> int:
        return int(self._base + self._layout.cells[name].at(index))

    def read(self, name: str, index: int = 0) -> int:
        return int(self._words[self._layout.cells[name].at(index) // 8])

    def write(self, name: str, value: int, index: int = 0) -> None:
        self._words[self._layout.cells[name].at(index) // 8] = value

    def add(self, name: str, n: int, index: int = 0) -> None:
        """Add to a counter of one's own."""
        self._words[self._layout.cells[name].at(index) // 8] += n

    def values(self, name: str) -> list[int]:
        return [self.read(name, i) for i in range(self._layout.cells[name].count)]


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring: its words, its slots, and a row of dead cells for each filtering stage."""

    words: Words
    slots: np.ndarray
    dead: np.ndarray


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings of all shards, their slots and dead cells side by side in one array each."""

    shards: tuple[Ring, ...]
    slots: np.ndarray
    dead: np.ndarray


def create(gates: int, dtype: np.dtype, capacity: int, filters: int = 0, shards: int = 1) -> Rings:
    """Make open, empty rings."""
    slots = lines(shards * capacity * dtype.itemsize).view(dtype)
    row = -(-shards * capacity // LINE) * LINE  # each filtering stage writes lines of its own
    dead = lines(max(filters, 1) * row).reshape(max(filters, 1), row)
    parts = [slice(i * capacity, (i + 1) * capacity) for i in range(shards)]
    return Rings(tuple(Ring(ring_words(gates), slots[p], dead[:, p]) for p in parts), slots, dead)


def ring_words(gates: int) -> Words:
    """Make the words of one open ring."""
    words = Words(byteor_v1.ring(gates))
    words.write("closed", byteor_v1.OPEN)
    return words


def runner() -> Words:
    """Make the words of one runner."""
    return Words(byteor_v1.runner())


def control() -> Words:
    """Make the words of one run."""
    return Words(byteor_v1.control())
