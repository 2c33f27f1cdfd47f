"""The one source: what a reader gives, cut into batches and counted.

Rule 1. A reader knows a format and no batches; batches are cut here and nowhere else.
Rule 2. An iteration starts at the first row; no batch is empty, and none is longer than `batch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from byteor.edges.rows import Judge


class Reader(Protocol):
    """What a format brings: its rows, in pieces of any length."""

    def check(self) -> None:
        """Refuse what can be seen before the first row; only for inputs that can be read again."""

    def read(self) -> Iterator[np.ndarray]:
        """Give the rows from the first one on."""


@runtime_checkable
class Skips(Protocol):
    """A reader that can begin later, because its records lie at known places."""

    def skip(self, rows: int) -> int:
        """Let the next `read` begin so many rows later, or at the end; answer how many."""


class Batches:
    """Rows of a reader, batch by batch."""

    def __init__(self, reader: Reader, judge: Judge, batch: int, rereadable: bool, note: str = "") -> None:
        self._reader, self._judge, self._batch = reader, judge, batch
        self.rereadable, self.note, self.position = rereadable, note, 0

    @property
    def skipped(self) -> int:
        return self._judge.skipped

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.after(0)

    def after(self, position: int) -> Iterator[np.ndarray]:
        """The rows behind the first `position` ones; `self.position` tells where the source ended, if before."""
        self._judge.skipped = 0
        self.position = self._reader.skip(position) if isinstance(self._reader, Skips) else 0
        for rows in self._reader.read():
            begin = min(len(rows), position - self.position) if position > self.position else 0
            self.position += begin
            for start in range(begin, len(rows), self._batch):
                part = rows[start : start + self._batch]
                self.position += len(part)
                yield part


class Sorted:
    """All rows of a reader in the order of one field, equal ones as they came."""

    def __init__(self, reader: Reader, field: str) -> None:
        self._reader, self._field = reader, field
        self.check = reader.check

    def read(self) -> Iterator[np.ndarray]:
        pieces = list(self._reader.read())
        if pieces:
            rows = np.concatenate(pieces)
            yield rows[np.argsort(rows[self._field], kind="stable")]
