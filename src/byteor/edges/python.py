"""Python code at the edges: `python:module:function`, and iterables given by a program.

Rule 1. A source gives arrays of the type's fields, lists of rows, or single rows; rows are dicts or tuples.
Rule 2. A sink is called once, in a thread of its own, with an iterator of arrays that are its to keep.
Rule 3. A sink that fails or leaves early fails the run; nothing that it did not take is forgotten.
"""

from __future__ import annotations

import importlib
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from byteor.edges import files, findings
from byteor.edges.raw import check_columns, packed
from byteor.edges.rows import Judge
from byteor.edges.values import records
from byteor.exec.schema import dtype
from byteor.spec.model import MessageType

PREFIX = "python:"
ROWS = 4_096


def resolve(name: str, where: str, folder: Path | None) -> Callable[..., Any]:
    """Find the function that `python:module:function` names, seen from `folder`."""
    module, _, function = where.removeprefix(PREFIX).partition(":")
    path = [str(folder)] if folder is not None else []
    sys.path[:0] = path
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"`{where}` cannot be found: {error}"
        raise files.refused(findings.NO_FUNCTION, name, where, message) from error
    finally:
        sys.path[: len(path)] = []
    if not callable(found):
        raise files.refused(findings.NO_FUNCTION, name, where, f"`{where}` is no function")
    called: Callable[..., Any] = found
    return called


class IterableReader:
    """Rows of an iterable, or of what a function returns at each new start."""

    def __init__(self, message: MessageType, make: Callable[[], Any], judge: Judge) -> None:
        self.message, self.make, self.judge = message, make, judge
        self._dtype = dtype(message)

    def check(self) -> None:
        """An iterable shows what it has only when it is asked."""

    def read(self) -> Iterator[np.ndarray]:
        made = self.make()
        if not isinstance(made, Iterable):
            raise self.judge.refuse(findings.BAD_BATCH, f"the source gave a {type(made).__name__}, which has no rows")
        first = 1
        for rows in self._gathered(made):
            yield self._part(rows, first)
            first += len(rows)

    def _gathered(self, made: Iterable[Any]) -> Iterator[Any]:
        """Give arrays and lists as they come, single rows in lists."""
        rows: list[Any] = []
        for item in made:
            single = isinstance(item, tuple | Mapping)
            if single:
                rows.append(item)
            if rows and (not single or len(rows) >= ROWS):
                yield rows
                rows = []
            if not single:
                yield self._batch(item)
        if rows:
            yield rows

    def _batch(self, item: Any) -> Any:
        if isinstance(item, list) and all(isinstance(row, tuple | Mapping) for row in item):
            return item
        if not isinstance(item, np.ndarray) or item.dtype.names is None or item.ndim != 1:
            said = item.dtype if isinstance(item, np.ndarray) else type(item).__name__
            message = f"the source gave a batch of {said}, not of `{self.message.name}`"
            raise self.judge.refuse(findings.BAD_BATCH, message)
        check_columns(self.message, item.dtype, self.judge)
        return item

    def _part(self, piece: Any, first: int) -> np.ndarray:
        if isinstance(piece, np.ndarray):
            rows = np.zeros(len(piece), dtype=self._dtype)
            for name in self._dtype.names or ():
                rows[name] = piece[name]
            return rows
        width = len(self.message.fields)
        for row in piece:
            if isinstance(row, tuple) and len(row) != width:
                message = f"a row has {len(row)} values, where `{self.message.name}` has {width} fields"
                raise self.judge.refuse(findings.BAD_BATCH, message)
        rows, bad = records(self.message, piece)
        return self.judge.settle(rows, bad, line=lambda row: first + row, text=lambda row: repr(piece[row]), word="row")


class Aborted(Exception):
    """Raised inside a sink's iterator when the run is given up."""


class FunctionSink:
    """Hand batches to a function that takes an iterator of them."""

    def __init__(self, name: str, message: MessageType, where: str, function: Callable[[Iterator[np.ndarray]], Any]):
        self.name, self.where, self.function = name, where, function
        self._dtype, self._rows = dtype(message), 0
        self._batches: queue.Queue[np.ndarray | Aborted | None] = queue.Queue(maxsize=1)
        self._error: Exception | None = None
        self._complete = False
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"byteor-sink-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.function(self._taken())
        except Exception as error:  # noqa: BLE001 the function is the user's; it is handed to the writer, whose run it fails
            self._error = error
        finally:
            self._left.set()

    def _taken(self) -> Iterator[np.ndarray]:
        while (item := self._batches.get()) is not None:
            if isinstance(item, Aborted):
                raise item
            yield item
        self._complete = True

    def write(self, rows: np.ndarray) -> None:
        if len(rows):
            self._put(packed(rows, self._dtype).copy())
            self._rows += len(rows)

    def _put(self, item: np.ndarray | Aborted | None) -> None:
        """Wait for room; a function that has left is judged."""
        if not self._offer(item):
            self._judge()

    def _offer(self, item: np.ndarray | Aborted | None) -> bool:
        """Wait for room, and say no when the function has left."""
        while not self._left.is_set():
            try:
                self._batches.put(item, timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def _judge(self) -> None:
        if isinstance(self._error, Aborted):
            return
        if self._error is not None:
            raise self._error
        if not self._complete:
            message = f"`{self.where}` returned before it had taken all rows"
            raise files.refused(findings.SINK_LEFT, self.name, self.where, message)

    def finish(self) -> None:
        self._put(None)
        self._thread.join()
        self._judge()

    def abort(self) -> None:
        if not self._complete:
            self._offer(Aborted(f"the run of `{self.where}` was given up"))
        self._thread.join()


class ListSink:
    """Append copies of the batches to a list."""

    def __init__(self, message: MessageType, into: list[np.ndarray]) -> None:
        self._dtype, self._into, self._start = dtype(message), into, len(into)

    def write(self, rows: np.ndarray) -> None:
        self._into.append(packed(rows, self._dtype).copy())

    def finish(self) -> None:
        """Nothing is left to do: a list is complete at any time."""

    def abort(self) -> None:
        del self._into[self._start :]
