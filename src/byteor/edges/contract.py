"""What every edge promises: sources give batches of records, sinks take them.

Rule 1. A batch is a contiguous numpy structured array of the message type; its borders mean nothing.
Rule 2. Bad input is `diag.Refused` with E findings; the outside world's failures are `OSError` with a note.
Rule 3. A sink's bytes do not depend on how the rows were cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

BATCH = 65_536


class Source(Protocol):
    """Rows from outside, batch by batch; an iteration over a rereadable source starts at its first row."""

    rereadable: bool
    note: str

    @property
    def position(self) -> int:
        """Rows delivered so far."""

    @property
    def skipped(self) -> int:
        """Bad rows left out so far."""

    def __iter__(self) -> Iterator[np.ndarray]: ...

    def after(self, position: int) -> Iterator[np.ndarray]:
        """The rows behind the first `position` ones."""


class Sink(Protocol):
    """Rows to the outside; nothing stands under the output's name before `finish`."""

    def write(self, rows: np.ndarray) -> None:
        """Take a batch; it may be reused as soon as this returns."""

    def finish(self) -> None:
        """Complete the output and give it its name."""

    def abort(self) -> None:
        """Drop what was written; harmless after `finish`."""


class Rejects(Protocol):
    """Where bad rows go under `skip`."""

    def write(self, boundary: str, line: int, reason: str, text: str) -> None:
        """Keep one bad row: its line or row number, why it is bad, and its text as it was."""
