"""One stage at work over a whole stream, as plain Python over numpy records.

Rule 1. It shares no code with any executor; the stage's function is called as anybody would call it.
Rule 2. All records are one batch, for borders mean nothing; what `out` holds before it is written is zero.
Rule 3. What a run must refuse raises `Fails`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from byteor.spec.model import Param, Stage
from tests.plants.rows import Rows, plain, scalar, zeros


class Fails(Exception):
    """The run must end with an error at this role."""

    def __init__(self, role: str, why: str) -> None:
        self.role, self.why = role, why
        super().__init__(f"`{role}`: {why}")


@dataclass(frozen=True, slots=True)
class Made:
    """What a stage gave: its rows, of which input each one came, and behind them what its `end` gave."""

    rows: np.ndarray
    of: list[int]
    end: np.ndarray


def worked(said: Stage, code: Any, kinds: Mapping[str, np.dtype[Any]], rows: np.ndarray) -> Made:
    """Begin, take every record, and end."""
    worker = Worker(said, code, kinds)
    worker.begun()
    given, of = worker.run(rows.copy()) if len(rows) else (np.zeros(0, kinds[said.out]), [])
    return Made(given, of, worker.ended())


class Worker:
    """A stage with what it keeps: `table` holds its state's records, `keys` the row of each key."""

    def __init__(self, said: Stage, code: Any, kinds: Mapping[str, np.dtype[Any]]) -> None:
        self.said, self.code = said, code
        self.call: Callable[..., Any] = getattr(code, "function", code)
        self.kind = kinds[said.out]
        self.keyed = said.state is not None and said.state.by != ()
        self.table = zeros(kinds[said.state.type], said.state.max) if said.state else zeros(np.dtype([("_", "u1")]), 1)
        self.keys: dict[Any, int] = {}
        self.fixed: dict[str, Any] = {"p": parameters(said.params)}

    def begun(self) -> None:
        if opens := getattr(self.code, "open_function", None):
            self.fixed["res"] = self.guarded(opens, self.fixed)
        if begin := getattr(self.code, "begin_function", None):
            self.guarded(begin, {**self.fixed, "state": self.held()})

    def ended(self) -> np.ndarray:
        if self.said.end is None:
            return np.zeros(0, self.kind)
        out = zeros(self.kind, self.said.end.max)
        count = self.guarded(self.code.end_function, {**self.fixed, "state": self.held(), "out": out})
        return self.first(out, count)

    def held(self) -> Any:
        """State as begin and end see it: keyed, the rows in use; flat, its record."""
        return self.table[: len(self.keys)] if self.keyed else self.table[0]

    def guarded(self, function: Callable[..., Any], known: Mapping[str, Any], *args: Any) -> Any:
        """Call a function of the author's with what it asks for."""
        names = list(inspect.signature(function).parameters)[len(args) :]
        try:
            return function(*args, **{name: known[name] for name in names})
        except Exception as e:
            raise Fails(self.said.name, f"{type(e).__name__}: {e}") from e

    def run(self, rows: np.ndarray) -> tuple[np.ndarray, list[int]]:
        run = self.messages if self.said.form == "message" else self.batch
        return run(rows.view(Rows))

    def messages(self, rows: Any) -> tuple[np.ndarray, list[int]]:
        given: list[np.ndarray] = []
        of: list[int] = []
        for i in range(len(rows)):
            out = zeros(self.kind, self.said.max_out)
            known = {**self.fixed, "state": self.table[self.row_of(rows[i])], "out": out}
            answer = self.guarded(self.call, known, rows[i])
            made = rows[i : i + self.stays(answer)] if self.said.in_place else self.first(out, answer)
            self.count(len(made))
            given.append(plain(made, self.kind))
            of += [i] * len(made)
        return np.concatenate(given), of

    def batch(self, rows: Any) -> tuple[np.ndarray, list[int]]:
        index = np.array([self.row_of(row) for row in rows], np.int32)
        out, src = zeros(self.kind, len(rows) * self.said.max_out), np.zeros(len(rows) * self.said.max_out, np.int32)
        table = self.table if self.keyed else self.table[0]
        known = {"state": table, "index": index, "live": np.ones(len(rows), bool), "out": out, "src": src}
        answer = self.guarded(self.call, {**self.fixed, **known}, rows)
        if self.said.in_place:
            return self.masked(rows, answer)
        made = self.first(out, answer)
        return made, self.origins(src[: len(made)].tolist(), len(rows))

    def row_of(self, record: Any) -> int:
        """The state's row of a record; a new key gets the next one, with its fields filled in."""
        if self.said.state is None or not self.keyed:
            return 0
        by, max = self.said.state.by, self.said.state.max
        key = tuple(record[name] for name in by)
        if key not in self.keys:
            if len(self.keys) == max:
                raise Fails(self.said.name, "a new key came and its table is full")
            self.keys[key] = len(self.keys)
            for name in by:
                self.table[name][self.keys[key]] = record[name]
        return self.keys[key]

    def stays(self, answer: Any) -> bool:
        return answer is None or bool(answer)

    def masked(self, rows: Any, answer: Any) -> tuple[np.ndarray, list[int]]:
        kept = np.ones(len(rows), bool) if answer is None else np.asarray(answer)
        if kept.dtype != np.bool_ or kept.shape != (len(rows),):
            raise Fails(self.said.name, "its mask does not fit the batch")
        self.count(int(kept.min()))
        return plain(rows, self.kind)[kept], np.flatnonzero(kept).tolist()

    def origins(self, src: list[int], count: int) -> list[int]:
        """Of which record each came; who does not say so stands before no merge that would need it."""
        if not self.said.src:
            return [0] * len(src)
        for i in range(count):
            self.count(src.count(i))
        return src

    def first(self, out: Any, count: Any) -> np.ndarray:
        if count is None or not 0 <= count <= len(out):
            raise Fails(self.said.name, f"gave {count} of at most {len(out)}")
        return plain(out[:count], self.kind)

    def count(self, given: int) -> None:
        if not self.said.min_out <= given <= self.said.max_out:
            raise Fails(self.said.name, f"gave {given}, not {self.said.min_out} to {self.said.max_out}")


def parameters(params: tuple[Param, ...]) -> SimpleNamespace:
    """Parameters as attributes."""
    return SimpleNamespace(**{p.name: _value(p) for p in params})


def _value(p: Param) -> Any:
    kind = np.dtype(scalar(p.type))
    if kind.kind == "S":
        return p.value.encode("ascii")
    return p.value == "true" if kind.kind == "b" else kind.type(p.value).item()
