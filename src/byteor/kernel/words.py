"""The words and arrays of a layout over a piece of memory, by name.

Rule 1. `address` is for the kernel; `read`, `write` and `add` are for words at rest, or one's own.
Rule 2. Whose memory it is, is not known here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from byteor.abi.layout import Layout

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class Words:
    """The words of one layout. Addresses stay the same as long as the object lives."""

    def __init__(self, layout: Layout, memory: Bytes) -> None:
        self._layout, self.memory = layout, memory
        self.words = memory[: memory.size // 8 * 8].view(np.int64)
        self._base = memory.ctypes.data

    def address(self, name: str, index: int = 0) -> int:
        return int(self._base + self._layout.cells[name].at(index))

    def read(self, name: str, index: int = 0) -> int:
        return int(self.words[self._layout.cells[name].at(index) // 8])

    def write(self, name: str, value: int, index: int = 0) -> None:
        self.words[self._layout.cells[name].at(index) // 8] = value

    def add(self, name: str, n: int, index: int = 0) -> None:
        """Add to a counter of one's own."""
        self.words[self._layout.cells[name].at(index) // 8] += n

    def values(self, name: str) -> list[int]:
        return [self.read(name, i) for i in range(self._layout.cells[name].count)]

    def array(self, name: str, dtype: Any = np.uint8) -> np.ndarray[Any, np.dtype[Any]]:
        """The bytes of a dense array, seen as `dtype`."""
        place = self._layout.cells[name]
        return self.memory[place.offset : place.offset + place.count * place.size].view(dtype)

    def raw(self, name: str, index: int = 0) -> Bytes:
        """The bytes of one element."""
        place = self._layout.cells[name]
        return self.memory[place.at(index) : place.at(index) + place.size]
