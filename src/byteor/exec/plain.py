"""The runner of a plain Python stage: a batch or a record at a time, waiting in compiled code.

Rule 1. It waits without the GIL, and takes all that is there before it waits again.
Rule 2. Batches are views of the ring, records lie over its slots: both are valid until the stage returns.
Rule 3. None stands for the common case (`live`: all are there; `kept`: all stay), which costs nothing.
"""

from __future__ import annotations

from functools import partial
from itertools import compress
from typing import Any

import numba
import numpy as np
from numba.core import types

from byteor.exec.guard import guarded
from byteor.exec.record import Records, Texts, rows
from byteor.exec.runners import FAULTS, Place, Runner
from byteor.exec.stage import Stage, arguments
from byteor.kernel.hot import short, waiting
from byteor.kernel.keys import make_rows_of
from byteor.kernel.loops import FULL, MISFIT, UNASKED
from byteor.kernel.ring import UNMARKED, advance
from byteor.kernel.wait import Waiter, wait_past
from byteor.spec.model import Stage as Spec

Mask = np.ndarray | None


class PlainRunner(Runner):
    """Runs a stage in plain Python; an interpreted one gets record arrays, so that `batch[i].field` works."""

    def __init__(self, spec: Spec, code: Stage, place: Place, interpreted: bool = False, debug: bool = False) -> None:
        super().__init__(spec, code, place)
        self._interpreted = interpreted
        port, slots, held = place.port, place.ring.slots, place.held
        self._mask = len(slots) - 1
        self._marks = np.array(port.marks)
        self._sequence = 0
        call = getattr(code.function, "py_func", code.function)
        self._call = guarded(spec, slots, call) if debug else call
        self._wait = waiting(wait_past)
        self._advance = short(advance, types.int64, types.int64, numba.typeof(port.bells))
        self._rows_of = waiting(make_rows_of(held.row_of)) if held.keys else None
        self._slots, self._records = self._array(slots), Records(slots, quick=True)
        self._texts, self._exact = Texts(slots), Records(slots)
        self._rows = Records(held.table)
        self._names = arguments(code.function)[1:]
        self._fixed = {"p": Records(held.p)[0], "state": self._array(held.table) if held.keys else self._rows[0]}
        self._run = self._messages if spec.form == "message" else self._batches

    def start_at(self, sequence: int) -> None:
        """Go on at a sequence."""
        self._sequence = sequence

    def warm_up(self, waiter: Waiter) -> None:
        """Open what the stage opens, and compile what the runner calls."""
        self.run(waiter._replace(patience=0))
        if self.code.open_function:
            self._fixed["res"] = self._outside(self.code.open_function, self._given(self.place.held.table))

    def run(self, waiter: Waiter) -> None:
        cells, looking = self.place.port.cells, waiter._replace(patience=0)
        while True:
            available = self._wait(cells, self._sequence, looking)
            if available == self._sequence and waiter.patience > 0:
                available = self._wait(cells, self._sequence, waiter)
            if available == self._sequence:
                return
            while self._sequence < available:
                self._take(available)

    def _take(self, available: int) -> None:
        """Run one contiguous piece, then give its slots on."""
        port, slot = self.place.port, self._sequence & self._mask
        n = min(available - self._sequence, port.limit, self._mask + 1 - slot)
        live = self._live(slot, n)
        kept = self._run(slot, n, live)
        self.place.stats.add("sizes", 1, n.bit_length() - 1)
        if self.spec.min_out == 0:
            self._take_out(slot, n, live, kept)
        elif kept is not None and not kept.all():
            raise self.failed(self._sequence + int(np.argmin(kept)), FAULTS[UNASKED])
        self._sequence += n
        self._advance(port.gate, self._sequence, port.bells)

    def _live(self, slot: int, n: int) -> Mask:
        if self.place.port.marks == UNMARKED:
            return None
        gone = self.place.ring.dead[self._marks, slot : slot + n]
        return np.asarray(~gone.any(axis=0))

    def _take_out(self, slot: int, n: int, live: Mask, kept: Mask) -> None:
        gone = np.zeros(n, np.bool_) if kept is None else ~kept if live is None else live & ~kept
        self.place.ring.dead[self.place.port.own, slot : slot + n] = gone
        self.place.stats.add("filtered", int(gone.sum()))

    def _messages(self, slot: int, n: int, live: Mask) -> Mask:
        names = [name for name in self._names if name != "state" or self._rows_of is None]
        call = partial(self._call, **{name: self._fixed[name] for name in names}) if names else self._call
        records = (self._exact if self._texts.are_odd(slot, n) else self._records).piece(slot, n)
        index = self._index(slot, n, live)
        if live is not None:
            records = list(compress(records, live))
            index = None if index is None else index[live]
        done: list[bool] = []
        try:
            if index is None:
                self._call_each(call, records, done)
            else:
                self._call_keyed(call, records, [self._rows[row] for row in index.tolist()], done)
        except Exception as e:
            where = len(done) if live is None else int(live.nonzero()[0][len(done)])
            raise self.failed(self._sequence_of(slot) + where, f"{type(e).__name__}: {e}") from e
        return _kept(n, done, live)

    def _call_each(self, call: Any, records: list[Any], done: list[bool]) -> None:
        told = done.append
        for record in records:
            answer = call(record)
            told(answer is None or bool(answer))

    def _call_keyed(self, call: Any, records: list[Any], rows: list[Any], done: list[bool]) -> None:
        told = done.append
        for record, row in zip(records, rows, strict=True):
            answer = call(record, state=row)
            told(answer is None or bool(answer))

    def _batches(self, slot: int, n: int, live: Mask) -> Mask:
        if live is None:
            return self._batch(slot, n, None)
        if "live" in self._names:
            answer = self._batch(slot, n, live)
            return None if answer is None else np.asarray(answer | ~live)
        kept = np.ones(n, np.bool_)
        for at, size in _runs(live):
            answer = self._batch(slot + at, size, None)
            if answer is not None:
                kept[at : at + size] = answer
        return kept

    def _batch(self, slot: int, n: int, live: Mask) -> Mask:
        sequence = self._sequence_of(slot)
        given = self._fixed
        if self._names:
            index = self._index(slot, n, live)
            given = {"index": index, "live": np.ones(n, np.bool_) if live is None else live, **self._fixed}
        try:
            answer = self._call(self._slots[slot : slot + n], **{name: given[name] for name in self._names})
        except Exception as e:
            raise self.failed(sequence, f"{type(e).__name__}: {e}") from e
        if answer is None:
            return None
        mask = np.asarray(answer)
        if mask.dtype != np.bool_ or mask.shape != (n,):
            raise self.failed(sequence, FAULTS[MISFIT])
        return mask

    def _index(self, slot: int, n: int, live: Mask) -> np.ndarray | None:
        """The state's row of each record, -1 where none is; None where state is not keyed."""
        if self._rows_of is None:
            return None
        index = np.empty(n, np.int32)
        found = self._rows_of(self.place.held.keys, slot, np.ones(n, np.bool_) if live is None else live, index)
        if found < n:
            raise self.failed(self._sequence_of(slot) + found, FAULTS[FULL])
        return index

    def _sequence_of(self, slot: int) -> int:
        return self._sequence + (slot - self._sequence & self._mask)

    def _array(self, array: np.ndarray) -> np.ndarray:
        return rows(array) if self._interpreted else array

    def _out(self, array: np.ndarray) -> np.ndarray:
        return rows(array)

    def _one(self, array: np.ndarray) -> Any:
        return Records(array)[0]


def _kept(n: int, done: list[bool], live: Mask) -> Mask:
    """Which of `n` messages stay, from the answers for those that were there."""
    if all(done):
        return None
    kept = np.ones(n, np.bool_)
    kept[slice(None) if live is None else live] = done
    return kept


def _runs(live: np.ndarray) -> list[tuple[int, int]]:
    """The runs of rows that are there, as (start, length)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], live, [False]))))
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
