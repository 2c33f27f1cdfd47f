"""Texts as `bytes(N)` columns and back, without a loop in Python.

Rule 1. A text's bytes are its UTF-8, or the bytes as they stood in the file; zero bytes at the end are no part of it.
Rule 2. A too long text is never cut: its row is marked, and its place left empty.
"""

from __future__ import annotations

import numpy as np


def pack(letters: np.ndarray, starts: np.ndarray, ends: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Lay the texts `letters[start:end]` into an `S(width)` column; give the rows that were too long second."""
    count = len(starts)
    starts = starts.astype(np.int64)
    lengths = ends.astype(np.int64) - starts
    long = np.flatnonzero(lengths > width)
    lengths[long] = 0
    after = np.cumsum(lengths)
    within = np.arange(after[-1] if count else 0) - np.repeat(after - lengths, lengths)
    column = np.zeros(count * width, dtype=np.uint8)
    column[np.repeat(np.arange(count) * width, lengths) + within] = letters[np.repeat(starts, lengths) + within]
    return column.view(f"S{width}"), long


def unpack(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take an `S(N)` column apart into its bytes and the offsets of its texts."""
    column = np.ascontiguousarray(column)
    lengths = np.char.str_len(column)
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    grid = column.view(np.uint8).reshape(len(column), column.itemsize)
    return grid[np.arange(grid.shape[1]) < lengths[:, None]], offsets
