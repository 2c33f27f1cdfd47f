"""Rows cut anew, so that what is written does not show how they came.

Rule 1. Every group but the last has exactly `size` rows.
Rule 2. Rows are copied once, into a table of one group: that is all the memory it takes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class Rebatch:
    """Gather rows, and hand on groups of `size`; `done` counts the rows handed on."""

    def __init__(self, size: int, emit: Callable[[np.ndarray], None]) -> None:
        self._size, self._emit = size, emit
        self._table: np.ndarray | None = None
        self._filled = self.done = 0

    def write(self, rows: np.ndarray) -> None:
        """Take rows of any number."""
        at = 0
        while at < len(rows):
            if self._table is None:
                self._table = np.empty(self._size, dtype=rows.dtype)
            take = min(len(rows) - at, self._size - self._filled)
            self._table[self._filled : self._filled + take] = rows[at : at + take]
            self._filled, at = self._filled + take, at + take
            if self._filled == self._size:
                self.finish()

    def finish(self) -> None:
        """Hand on what is left."""
        if self._table is not None and self._filled:
            group, self._filled = self._table[: self._filled], 0
            self._emit(group)
            self.done += len(group)
