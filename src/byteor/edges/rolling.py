"""Output in numbered pieces, for input without end: each complete under its name while the run goes on.

Rule 1. `out.csv` becomes `out-000001.csv` and so on; a number that is there is never taken again.
Rule 2. A piece has exactly so many rows, however they came; by seconds, it ends with the first rows after its time.
Rule 3. What is complete stays, whatever ends the run; only the piece under way goes with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from byteor.edges.contract import Sink

DIGITS = 6
_ROLL = re.compile(r"([1-9][0-9]{0,17})(s?)")


@dataclass(frozen=True, slots=True)
class Roll:
    """When a piece is complete: after so many rows, or so many seconds; 0 is never."""

    rows: int = 0
    seconds: float = 0.0


def roll_from(text: str) -> Roll | None:
    """Read `10000` as rows and `60s` as seconds; None for anything else."""
    found = _ROLL.fullmatch(text)
    if found is None:
        return None
    return Roll(seconds=float(found[1])) if found[2] else Roll(rows=int(found[1]))


class RollingSink:
    """Pieces of one output; `open_piece` opens a sink at a path."""

    def __init__(
        self,
        where: Path,
        roll: Roll,
        open_piece: Callable[[Path], Sink],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._where, self._roll, self._open, self._now = where, roll, open_piece, now
        self._number = _last_number(where)
        self._next()

    def _next(self) -> None:
        """Open the next piece."""
        self._number += 1
        self._piece: Sink | None = self._open(self._path())
        self._rows, self._since = 0, self._now()

    def _path(self) -> Path:
        return self._where.with_name(f"{self._where.stem}-{self._number:0{DIGITS}}{self._where.suffix}")

    def write(self, rows: np.ndarray) -> None:
        while len(rows):
            if self._piece is None:
                self._next()
            room = self._roll.rows - self._rows if self._roll.rows else len(rows)
            self._put(rows[:room])
            rows = rows[room:]

    def _put(self, rows: np.ndarray) -> None:
        """Write what the piece has room for, and complete it when it is full or old."""
        if self._piece is None:
            raise AssertionError("there is a piece before rows are put")
        self._piece.write(rows)
        self._rows += len(rows)
        old = self._roll.seconds and self._now() - self._since >= self._roll.seconds
        if old or self._rows == self._roll.rows:
            self.finish()

    def finish(self) -> None:
        """Complete the piece under way; the next row opens another."""
        if self._piece is not None:
            self._piece.finish()
            self._piece = None

    def abort(self) -> None:
        """Drop the piece under way."""
        if self._piece is not None:
            self._piece.abort()
            self._piece = None


def _last_number(where: Path) -> int:
    """The highest number that a piece in the folder has."""
    name = re.compile(rf"{re.escape(where.stem)}-([0-9]{{{DIGITS},}}){re.escape(where.suffix)}")
    there = where.parent.iterdir() if where.parent.is_dir() else ()
    return max((int(found[1]) for path in there if (found := name.fullmatch(path.name))), default=0)
