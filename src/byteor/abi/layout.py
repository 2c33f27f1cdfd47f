"""How a layout is stated: named cells, one after the other, whose offsets accumulate here.

Rule 1. An offset is computed in this file and written down nowhere else.
Rule 2. A line belongs to one writer: `line()` starts a new one, LINE bytes on.
Rule 3. Append-only: a cell never changes its size, order or meaning; new ones go to the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LINE = 128  # two 64-byte cache lines: the prefetcher of x86 fetches them in pairs
WORD = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One named place: `count` times `stride` bytes from `offset`."""

    name: str
    offset: int
    size: int
    count: int
    stride: int
    doc: str

    def at(self, index: int = 0) -> int:
        """Offset of element `index`."""
        return self.offset + index * self.stride


@dataclass(slots=True)
class Layout:
    """A table of cells, made top to bottom; `bytes` is where the next one would start."""

    name: str
    doc: str
    bytes: int = 0
    cells: dict[str, Cell] = field(default_factory=dict)

    def line(self) -> Layout:
        """Go on at the next line."""
        self.bytes = -(-self.bytes // LINE) * LINE
        return self

    def cell(self, name: str, doc: str, size: int = WORD, count: int = 1, stride: int = 0) -> Layout:
        """Put a cell, or `count` of them each `stride` bytes after the one before."""
        stride = stride or size
        self.cells[name] = Cell(name, self.bytes, size, count, stride, doc)
        self.bytes += stride * count
        return self

    def __getitem__(self, name: str) -> int:
        return self.cells[name].offset
