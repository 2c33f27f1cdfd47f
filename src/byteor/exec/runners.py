"""Runners: what runs one stage over its ring; the compiled kind, and what every kind shares.

Rule 1. A runner is stepped or run: `run(waiter)` goes on until the stream has ended, the run stops or
        patience is over. The gate tells how far it came; nothing else does.
Rule 2. What goes wrong in a stage leaves as `StageFailed`, with the stage's name and the sequence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from byteor.backings.mem import Ring, Words
from byteor.exec import compiler
from byteor.exec.record import Records
from byteor.exec.schema import dtype
from byteor.exec.stage import Stage, arguments
from byteor.exec.state import Holdings
from byteor.kernel.loops import DONE, FULL, MISFIT, UNASKED, Port, Shape
from byteor.kernel.ring import UNMARKED
from byteor.kernel.wait import Waiter
from byteor.spec.model import MessageType
from byteor.spec.model import Stage as Spec

FAULTS = {
    UNASKED: "it took out a message, and its `min_out` is 1",
    FULL: "a new key came and its table is full (`state.max`)",
    MISFIT: "its mask is not as long as its batch",
}


class StageFailed(Exception):
    """A stage failed: which, at which sequence, with which record; the cause is its `__cause__`."""

    def __init__(self, stage: str, sequence: int, reason: str, record: str = "") -> None:
        self.stage, self.sequence, self.reason, self.record = stage, sequence, reason, record
        where = f"at message {sequence}" if sequence >= 0 else "outside its messages"
        super().__init__(f"stage `{stage}` {where}: {reason}" + (f"; the record was {record}" if record else ""))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stage works: its ring, its port, whom of its ancestors it skips after, what it holds."""

    ring: Ring
    port: Port
    stats: Words
    held: Holdings
    end_type: MessageType | None


class Runner(ABC):
    """What both kinds of runner share: begin, end, and how a fault is told."""

    def __init__(self, spec: Spec, code: Stage, place: Place) -> None:
        self.spec, self.code, self.place = spec, code, place
        self.ended: np.ndarray | None = None

    @abstractmethod
    def warm_up(self, waiter: Waiter) -> None:
        """Compile, or load, what `run` calls, and open what the stage opens; the ring is empty."""

    @abstractmethod
    def run(self, waiter: Waiter) -> None:
        """Run the stage over what is there, and over what comes while the waiter has patience."""

    def begin(self) -> None:
        """Run the stage's `begin`."""
        if self.code.begin_function:
            self._outside(self.code.begin_function, self._given(self.place.held.table))

    def end(self) -> None:
        """Run the stage's `end`; its records are then in `ended`."""
        if not self.spec.end or not self.code.end_function or not self.place.end_type:
            return
        out = np.zeros(self.spec.end.max, dtype(self.place.end_type))
        n = self._outside(self.code.end_function, {"out": self._out(out), **self._given(self.place.held.rows)})
        if not 0 <= n <= len(out):
            raise StageFailed(self.spec.name, -1, f"`end` answered {n} of at most {len(out)} records")
        self.ended = out[:n]

    def _outside(self, function: Any, given: dict[str, Any]) -> Any:
        names = arguments(function)
        try:
            return self._part(function)(*[given[name] for name in names])
        except KeyError as e:
            raise StageFailed(self.spec.name, -1, f"`{function.__name__}` asks for {e}, which it is not given") from e
        except Exception as e:
            raise StageFailed(self.spec.name, -1, f"{type(e).__name__}: {e}") from e

    def failed(self, sequence: int, reason: str) -> StageFailed:
        slots = self.place.ring.slots
        record = Records(slots)[sequence & (len(slots) - 1)]
        return StageFailed(self.spec.name, sequence, reason, repr(record))

    def _given(self, rows: np.ndarray) -> dict[str, Any]:
        """What begin and end may ask for: keyed state as its rows, flat state as its record."""
        state = self._out(rows) if self.place.held.keys else self._one(self.place.held.table)
        return {"state": state, "p": self._one(self.place.held.p)}

    def _part(self, function: Any) -> Any:
        """A begin or end, ready to be called."""
        return function

    def _out(self, array: np.ndarray) -> np.ndarray:
        """An array of records as this kind's begin and end see it."""
        return array

    def _one(self, array: np.ndarray) -> Any:
        """The first record of an array as this kind of stage sees it."""
        return array[0]


class CompiledRunner(Runner):
    """Runs a stage inside one compiled loop."""

    def __init__(self, spec: Spec, code: Stage, place: Place) -> None:
        super().__init__(spec, code, place)
        ring, held = place.ring, place.held
        call = compiler.adapted(spec, code, ring.slots.dtype, held.table.dtype, held.p.dtype)
        facts = compiler.facts(call, compiler.signature(spec, ring.slots, held.table, held.p))
        shape = Shape(
            filters=spec.min_out == 0,
            skips=place.port.marks != UNMARKED,
            raises=facts.raises,
            keyed=held.keys is not None,
            live="live" in arguments(code.function),
            masks=facts.answer == "mask",
        )
        self._loop = compiler.loop(spec.form, call, held.row_of, shape)
        self._args = (place.port, ring.slots, ring.dead, held.table, held.keys or 0, held.p)
        limit = place.port.limit
        self._scratch = (np.zeros(limit, np.bool_), np.zeros(limit, np.int32)) if spec.form == "batch" else ()

    def warm_up(self, waiter: Waiter) -> None:
        """Compile, or load, the loop; the ring is empty, so nothing else happens."""
        self._loop(*self._args, waiter._replace(patience=0), *self._scratch)

    def run(self, waiter: Waiter) -> None:
        try:
            code = self._loop(*self._args, waiter, *self._scratch)
        except Exception as e:
            raise self.failed(self._at(), f"{type(e).__name__}: {e}") from e
        if code != DONE:
            raise self.failed(self._at(), FAULTS[code])

    def _at(self) -> int:
        return self.place.stats.read("at")

    def _part(self, function: Any) -> Any:
        return compiler.part(function, self.spec.boundscheck)
