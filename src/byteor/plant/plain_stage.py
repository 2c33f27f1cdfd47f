"""A role with a stage in plain Python: a piece at a time, over copies, settled by one short call.

Rule 1. It waits in compiled code without the GIL, and takes all that is there before it waits again.
Rule 2. The stage works on copies: what it does to its arguments reaches the lanes only by what it answers.
Rule 3. What a piece gives is put at once, each record with the order word of the one that it came of.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from byteor.exec.record import Records, Texts, rows
from byteor.exec.stage import Stage, arguments
from byteor.kernel import commit as c
from byteor.kernel import moves, steps, turns
from byteor.kernel.keys import make_rows_of
from byteor.kernel.wait import Waiter
from byteor.plant.blocks import log_rows
from byteor.plant.desk import WORD, Desk
from byteor.plant.roles import FAULTS, NOBODY, compiled
from byteor.plant.stage_roles import StageRunner

MOST = 65_536  # records that one piece may give


class Given(NamedTuple):
    """What a piece gave: records, the row that each came of, and how many rows gave none."""

    records: np.ndarray
    sources: np.ndarray
    filtered: int


class PlainStage(StageRunner):
    """A stage in plain Python; an interpreted one gets record arrays, so that `batch[i].field` works."""

    def __init__(self, desk: Desk, limit: int, code: Stage, interpreted: bool = False) -> None:
        super().__init__(desk, limit, code)
        self._interpreted = interpreted
        self._call = getattr(code.function, "py_func", code.function)
        self._names = arguments(code.function)[1:]
        self._most = max(1, min(limit, MOST // self.spec.max_out))
        self._taken = np.zeros(self._most, self.into.dtype)
        self._records, self._exact = Records(self._taken, quick=True), Records(self._taken)
        self._texts, self._state = Texts(self._taken), Records(self.held.table)
        self._made = np.zeros(self._most * self.spec.max_out, self.out.dtype)
        fixed = self._array(self.held.table) if self.held.keys else self._state[0]
        self._fixed: dict[str, Any] = {"p": Records(self.held.p)[0], "state": fixed}
        self._run = self._form()
        made, most = rows(self._made), self.spec.max_out
        giving = self._run == self._giving_messages
        self._windows = [made[at : at + most] for at in range(0, len(made), most)] if giving else []
        self._key = self._order_field()
        self._orders = self._words(desk.role.inputs[0]), self._words(desk.role.outputs[0])

    def prepare(self) -> None:
        self._wait = compiled(self.desk.steps.await_turn, self.desk.hot, 0, NOBODY)
        self._rows_of = None
        if self.held.keys:
            lives, index = np.ones(0, np.bool_), np.empty(0, np.int32)
            self._rows_of = compiled(make_rows_of(self.held.row_of), self.held.keys, 0, lives, index)
        self.prepare_end()

    def open(self) -> None:
        if self.code.open_function:
            self._fixed["res"] = self.outside(self.code.open_function, {"p": self.one(self.held.p)})

    def _form(self) -> Any:
        if self.spec.in_place:
            return self._messages if self.spec.form == "message" else self._batches
        return self._giving_messages if self.spec.form == "message" else self._giving_batches

    def _order_field(self) -> str | None:
        order = self.desk.wiring.lane(self.role.outputs[0]).order
        return order.by if order else None

    def _words(self, port: Any) -> np.ndarray | None:
        block = self.desk.blocks.lanes[port.lane]
        return block.array("order", np.int64) if block.params["orders"] else None

    # turns

    def run(self, waiter: Waiter) -> bool:
        looking, need = waiter._replace(patience=0), self.spec.max_out
        while True:
            result = self._wait(self.desk.hot, need, looking)
            if result == turns.HELD and waiter.patience > 0:
                result = self._wait(self.desk.hot, need, waiter)
            if result != turns.MOVED:
                return bool(result == turns.ENDED)
            self._piece()

    def _piece(self) -> None:
        """Run the stage over one piece, and settle it."""
        at, mask = self.position(), len(self.into) - 1
        n = min(self.desk.seen(c.SEEN) - at, self._most, mask + 1 - (at & mask))
        if not self.desk.drops:
            n = min(n, self._room() // self.spec.max_out)
        index, n = self._index(at & mask, n)
        self._taken[:n] = self.into[at & mask : (at & mask) + n]
        self._put(at, self._run(n, index))
        self.desk.now[self.desk.taken()] = at + n
        self._note(self.stats, n)
        self._settle(self.desk.hot)

    def _room(self) -> int:
        return int(self.desk.room() - self.desk.now[self.desk.put()])

    def _put(self, at: int, given: Given) -> None:
        """Put what a piece gave to the output."""
        records, sources = self._in_order(at, given.records, given.sources)
        put, mask = self.desk.put(), len(self.out) - 1
        fits = min(len(records), self._room())
        to = int(self.desk.now[put])
        slots = np.arange(to, to + fits) & mask
        self.out[slots] = records[:fits]
        if self._orders[1] is not None:
            words = at + sources[:fits]
            self._orders[1][slots] = words if self._orders[0] is None else self._orders[0][words & len(self.into) - 1]
        self.desk.now[put] += fits
        self.desk.now[put + c.DROPPED // WORD] += len(records) - fits
        self.desk.now[c.FILTERED // WORD] += given.filtered

    def _in_order(self, at: int, records: np.ndarray, sources: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hold what was given to the order; where a numbering starts, leave late records out, or refuse them."""
        if self._key is None or not len(records):
            return records, sources
        fields = records[self._key].astype(np.int64)
        if self.desk.starts != c.FROM_RECORDS:
            wrong = fields != self._taken[self._key][sources]
            if wrong.any():
                raise self.failed(at + int(sources[int(wrong.argmax())]), FAULTS[steps.CHANGED])
            return records, sources
        word = self.desk.put() + c.FIELD // WORD
        bounds = np.maximum.accumulate(np.concatenate(([self.desk.now[word]], fields)))
        late = fields < bounds[:-1]
        if late.any() and not self.late:
            raise self.failed(at + int(sources[int(late.argmax())]), FAULTS[moves.FELL])
        self.desk.now[word] = bounds[-1]
        self.desk.now[c.LATE // WORD] += int(late.sum())
        return records[~late], sources[~late]

    # keyed state

    def _index(self, slot: int, n: int) -> tuple[np.ndarray | None, int]:
        """The state's row of each record, and for how many records the log has room."""
        if self._rows_of is None:
            return None, n
        index = np.empty(n, np.int32)
        found = self._rows_of(self.held.keys, slot, np.ones(n, np.bool_), index)
        if found < n:
            if found == 0:
                raise self.failed(self.position(), FAULTS[steps.NO_ROW])
            n, index = found, index[:found]
        changed, first = np.unique(index, return_index=True)
        most = log_rows(self.desk.wiring, self.spec)
        if len(changed) > most:
            n = int(np.sort(first)[most])
            index = index[:n]
            changed = np.unique(index)
        self.desk.touched[: len(changed)] = changed
        self.desk.now[c.LOGGED // WORD] = len(changed)
        self.desk.now[c.ROWS // WORD] = max(int(self.desk.now[c.ROWS // WORD]), int(changed[-1]) + 1)
        return index, n

    # the forms

    def _messages(self, n: int, index: np.ndarray | None) -> Given:
        given = {name: self._fixed[name] for name in self._names}
        kept = np.ones(n, np.bool_)
        for k, record in enumerate(self._pieces(n)):
            if index is not None and "state" in given:
                given["state"] = self._state[int(index[k])]
            answer = self._guarded(k, record, given)
            kept[k] = answer is None or bool(answer)
        return self._kept(n, kept)

    def _batches(self, n: int, index: np.ndarray | None) -> Given:
        batch = self._taken[:n]
        answer = self._guarded(0, self._array(batch), self._batch_given(n, index))
        if answer is None:
            return Given(batch, np.arange(n), 0)
        mask = np.asarray(answer)
        if mask.dtype != np.bool_ or mask.shape != (n,):
            raise self.failed(self.position(), FAULTS[steps.BAD_MASK])
        return self._kept(n, mask)

    def _kept(self, n: int, kept: np.ndarray) -> Given:
        out = n - int(kept.sum())
        if out and self.spec.min_out:
            raise self.failed(self.position() + int(np.argmin(kept)), FAULTS[steps.TOOK_OUT])
        return Given(self._taken[:n][kept], np.flatnonzero(kept), out)

    def _giving_messages(self, n: int, index: np.ndarray | None) -> Given:
        """Each record has rows of its own to give in, so that none sees what another one left there."""
        self._made[: n * self.spec.max_out] = np.zeros(1, self.out.dtype)
        keyed = index is not None and "state" in self._names
        fixed = {name: self._fixed[name] for name in self._names if name != "out" and (name != "state" or not keyed)}
        call, told = partial(self._call, **fixed), []
        try:
            if keyed and index is not None:
                states = [self._state[row] for row in index.tolist()]
                for record, out, state in zip(self._pieces(n), self._windows, states, strict=False):
                    told.append(call(record, out=out, state=state))
            else:
                for record, out in zip(self._pieces(n), self._windows, strict=False):
                    told.append(call(record, out=out))
        except Exception as e:
            self._counts(told)
            raise self.failed(self.position() + len(told), f"{type(e).__name__}: {e}") from e
        counts = self._counts(told)
        there = np.arange(self.spec.max_out) < counts[:, None]
        made = self._made[: there.size][there.ravel()]
        return Given(made, np.repeat(np.arange(n), counts), int((counts == 0).sum()))

    def _counts(self, told: list[Any]) -> np.ndarray:
        """How many records each one gave; the first count that cannot be is told."""
        low, high = self.spec.min_out, self.spec.max_out
        if not set(map(type, told)) <= {int}:
            told = [self._counted(got, low, high, k) for k, got in enumerate(told)]
        counts = np.array(told, np.int64)
        wrong = (counts < low) | (counts > high)
        if wrong.any():
            raise self.failed(self.position() + int(wrong.argmax()), FAULTS[steps.BAD_COUNT])
        return counts

    def _giving_batches(self, n: int, index: np.ndarray | None) -> Given:
        out, sources = self._made[: n * self.spec.max_out], np.zeros(n * self.spec.max_out, np.int32)
        out[:] = np.zeros(1, self.out.dtype)  # not what an earlier piece left there
        given = {**self._batch_given(n, index), "out": self._array(out), "src": sources}
        given = {name: given[name] for name in self._names}
        count = self._counted(self._guarded(0, self._array(self._taken[:n]), given), 0, len(out), 0)
        src = sources[:count]
        if count and (int(src[0]) < 0 or int(src[-1]) >= n or bool((np.diff(src) < 0).any())):
            raise self.failed(self.position(), FAULTS[steps.CHANGED])
        return Given(out[:count], src, 0)

    def _batch_given(self, n: int, index: np.ndarray | None) -> dict[str, Any]:
        given = {"live": np.ones(n, np.bool_), "index": index, **self._fixed}
        return {name: given[name] for name in self._names if name in given}

    def _counted(self, got: Any, low: int, high: int, k: int) -> int:
        if not isinstance(got, int | np.integer) or not low <= got <= high:
            raise self.failed(self.position() + k, FAULTS[steps.BAD_COUNT])
        return int(got)

    def _guarded(self, k: int, first: Any, given: dict[str, Any]) -> Any:
        try:
            return self._call(first, **given)
        except Exception as e:
            raise self.failed(self.position() + k, f"{type(e).__name__}: {e}") from e

    def _pieces(self, n: int) -> list[Any]:
        return (self._exact if self._texts.are_odd(0, n) else self._records).piece(0, n)

    def _array(self, array: np.ndarray) -> np.ndarray:
        return rows(array) if self._interpreted else array

    def several(self, array: np.ndarray) -> np.ndarray:
        return rows(array)

    def one(self, array: np.ndarray) -> Any:
        return Records(array)[0]
