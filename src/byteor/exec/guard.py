"""Debug mode for plain stages: what they get is lent, what they did not declare stays as it was.

Rule 1. A stage works on a copy; only what it declares is given back, so nothing undeclared reaches the ring.
Rule 2. What was lent is spoilt when the stage returns: a record raises when used, a batch cannot be written.
Rule 3. Nothing else changes: the same stages give the same result, later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from byteor.exec.proxy import proxy
from byteor.exec.record import Records
from byteor.spec.model import Stage as Spec

SPOILT = 0xFF  # NaN in every float, -1 in every signed integer


class BrokenPromise(AssertionError):
    """A stage changed a field that its `writes` leave out, or used what it was lent after it had returned."""


class _Returned:
    """Stands for the row of a record whose stage has returned."""

    def __index__(self) -> int:
        raise BrokenPromise("a record was used after its stage had returned")

    def __mul__(self, other: object) -> int:
        return self.__index__()


def guarded(spec: Spec, slots: np.ndarray, call: Callable[..., Any]) -> Callable[..., Any]:
    """A stage's function under guard, to be called in its place."""
    return _Records(spec, slots, call) if spec.form == "message" else _Batches(spec, slots, call)


class _Guard:
    def __init__(self, spec: Spec, slots: np.ndarray, call: Callable[..., Any]) -> None:
        names = slots.dtype.names or ()
        self._slots, self._call = slots, call
        self._given_back = names if spec.writes is None else spec.writes
        self._untouched = tuple(name for name in names if name not in self._given_back)

    def _settle(self, lent: np.ndarray, before: np.ndarray, place: np.ndarray) -> None:
        """Hold what was lent against what it was, and give back what the stage declares."""
        for name in self._untouched:
            if lent[name].tobytes() != before[name].tobytes():
                raise BrokenPromise(f"it changed `{name}`, which its `writes` leave out")
        for name in self._given_back:  # field by field: others may write theirs at the same time
            place[name] = lent[name]


class _Records(_Guard):
    def __init__(self, spec: Spec, slots: np.ndarray, call: Callable[..., Any]) -> None:
        super().__init__(spec, slots, call)
        self._lent = np.zeros(1, slots.dtype)
        self._record = type(proxy(self._lent))
        self._records = Records(slots)

    def __call__(self, record: Any, **given: Any) -> Any:
        row = self._records.row_of(record)
        place, lent = self._slots[row : row + 1], self._lent
        lent[:] = place
        before, one = lent.copy(), self._record()
        one._i = 0
        try:
            answer = self._call(one, **given)
        finally:
            one._i = _Returned()
        self._settle(lent, before, place)
        return answer


class _Batches(_Guard):
    def __init__(self, spec: Spec, slots: np.ndarray, call: Callable[..., Any]) -> None:
        super().__init__(spec, slots, call)
        self._last = np.zeros(0, np.uint8)

    def __call__(self, batch: np.ndarray, **given: Any) -> Any:
        lent, before = batch.copy(), batch.copy()
        answer = self._call(lent, **given)
        answer = answer if answer is None else np.array(answer)  # a mask may be a column of the batch
        self._judge_last()
        self._settle(lent, before, batch)
        self._spoil(lent)
        return answer

    def _spoil(self, lent: np.ndarray) -> None:
        self._last = lent.view(np.ndarray).view(np.uint8)
        self._last[:] = SPOILT
        lent.flags.writeable = False

    def _judge_last(self) -> None:
        """Views taken of an earlier batch can still be written; that leaves a trace."""
        if (self._last != SPOILT).any():
            raise BrokenPromise("an earlier batch was written after its stage had returned")
