"""Follow a record or a batch through a function: which of its fields are read and written, without types.

Rule 1. What a name may stand for is a set of `Value`s; the sets only grow, until a pass changes nothing.
Rule 2. A field is read when its value is used, not when it is fetched: `rec.arr[2] = 1` only writes `arr`.
Rule 3. What cannot be followed is never guessed: the whole record then counts as touched.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np
from numba import prange
from numba.core import ir
from numba.core.compiler import run_frontend
from numba.core.dispatcher import Dispatcher
from numba.core.ir_utils import find_topo_order
from numba.core.ssa import reconstruct_ssa

from byteor.exec.stage import Stage
from byteor.exec.values import (
    ANY_NAME,
    BATCH,
    COPY,
    MASK,
    NOTHING,
    RECORD,
    SLICE,
    Value,
    Values,
    carries,
    constant,
    deep,
    holding,
    picked,
    together,
    union,
)

_DEPTH = 12  # of calls, and of values within values
_LIBRARIES = ("numpy", "math", "builtins", "numba", "_operator", "operator")
_ABOUT = ("shape", "size", "ndim", "nbytes", "dtype", "itemsize", "strides", "flags")  # of an array, not its values
_VIEWS = ("view", "reshape", "ravel", "transpose", "T", "flat", "asarray", "ascontiguousarray")
_FILLERS = ("fill", "put", "copyto", "place", "putmask", "fill_diagonal")  # write an array, reading none of it
_REWRITERS = ("sort", "partition", "shuffle", "byteswap")
_COMPARE = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
_LOGIC = (operator.and_, operator.or_, operator.xor, operator.invert, operator.iand, operator.ior, operator.ixor)


class Unfollowed(Exception):
    """A function that Numba's front end does not take apart."""


@dataclass(slots=True)
class Trail:
    """What was seen on the way: fields by name, each with the line and file of its first access."""

    arrays: frozenset[str] = frozenset()
    reads: dict[str, tuple[int, str]] = field(default_factory=dict)
    writes: dict[str, tuple[int, str]] = field(default_factory=dict)
    whole: bool = False
    known: dict[Any, Values | None] = field(default_factory=dict)

    def follow(self, function: Any, given: dict[str, Values], depth: int = 0) -> Values:
        """Follow `given` arguments through a function; answer with what it may return."""
        key = (function, frozenset(given.items()))
        if key not in self.known:
            self.known[key] = None  # while it is being followed
            self.known[key] = self._enter(function, given, depth)
        answer = self.known[key]
        if answer is None:  # it calls itself: what it returns is not known yet
            self.whole = True
        return answer or NOTHING

    def _enter(self, function: Any, given: dict[str, Values], depth: int) -> Values:
        try:
            if depth > _DEPTH:
                raise Unfollowed("calls too deep")
            return _Body(self, function, given, depth).run()
        except Unfollowed:
            self.whole = self.whole or any(map(carries, given.values()))
            return NOTHING


def _front_end(function: Any) -> Any:
    try:
        return reconstruct_ssa(run_frontend(function, inline_closures=True))
    except Exception as e:  # Numba lets errors of its own inner parts through
        raise Unfollowed(f"{type(e).__name__}: {e}") from e


class _Body:
    """One function's intermediate code, walked until nothing new is learnt."""

    def __init__(self, trail: Trail, function: Any, given: dict[str, Values], depth: int) -> None:
        self._trail, self._given, self._depth = trail, given, depth
        self._ir = _front_end(function)
        self._values: dict[str, Values] = {}
        self._constants: dict[str, Any] = {}
        self._returned = NOTHING
        self._at = (0, "")

    def run(self) -> Values:
        before = -1
        while before != (before := sum(map(len, self._values.values()))):
            for statement in self._statements():
                self._at = (statement.loc.line, statement.loc.filename)
                self._do(statement)
        return self._returned

    def _statements(self) -> Iterator[Any]:
        for label in find_topo_order(self._ir.blocks):
            yield from self._ir.blocks[label].body

    # what is known of names

    def _of(self, var: Any) -> Values:
        return self._values.get(var.name, NOTHING) if isinstance(var, ir.Var) else NOTHING

    def _learn(self, var: Any, values: Values) -> None:
        if deep(values) > _DEPTH:
            self._trail.whole = True
            return
        self._values[var.name] = self._of(var) | values

    # what is done to fields

    def _read(self, name: str) -> None:
        self._trail.reads.setdefault(name, self._at)

    def _write(self, name: str) -> None:
        self._trail.writes.setdefault(name, self._at)

    def _whole(self) -> None:
        self._trail.whole = True

    def _use(self, values: Values) -> None:
        """Values are used as they are: fields are read; a record or a batch is out of sight."""
        for v in values:
            if v.kind in ("record", "batch", "copy"):
                self._whole()
            elif v.kind in ("column", "cell", "taken"):
                self._read(v.name)
            self._use(v.of)

    def _change(self, values: Values) -> None:
        """An array is changed in place; whether a cell is an array only the message type can tell."""
        for v in values:
            if v.kind == "column" or (v.kind == "cell" and v.name in self._trail.arrays):
                self._write(v.name)

    def _overwrite(self, values: Values) -> None:
        """Arrays are written whole and not read, as a ufunc does with its `out`."""
        for v in values:
            if v.kind in ("column", "cell"):
                self._write(v.name)
            else:
                self._use(frozenset({v}))

    def _fill(self, name: str, values: Values) -> None:
        """A library's function or method of this name is applied to values."""
        if name in _FILLERS + _REWRITERS:
            self._overwrite(values)
        if name not in _FILLERS:
            self._use(values)

    # statements

    def _do(self, s: Any) -> None:
        if isinstance(s, ir.Assign):
            self._learn(s.target, self._value(s))
        elif isinstance(s, ir.SetAttr):
            self._use(self._of(s.value))
            self._put(self._of(s.target), frozenset({Value("name", s.attr)}))
        elif isinstance(s, ir.SetItem | ir.StaticSetItem):
            index = self._of(s.index) if isinstance(s, ir.SetItem) else constant(s.index)
            self._use(self._of(s.value) | index)
            self._put(self._of(s.target), index)
        elif isinstance(s, ir.Return) and self._depth:
            self._returned |= self._of(s.value)
        else:
            self._use(union(self._of(var) for var in s.list_vars()))

    def _put(self, target: Values, index: Values) -> None:
        names = [v.name for v in index if v.kind == "name"]
        for v in target:
            if v.kind in ("record", "batch"):
                for name in names or [""]:
                    self._write(name) if name else self._whole()
            elif v.kind in ("column", "cell") and not names:
                self._write(v.name)

    def _value(self, s: Any) -> Values:
        value, target = s.value, s.target.name
        if isinstance(value, ir.Arg):
            return self._given.get(value.name, NOTHING)
        if isinstance(value, ir.Var):
            if value.name in self._constants:
                self._constants[target] = self._constants[value.name]
            return self._of(value)
        if isinstance(value, ir.Const | ir.Global | ir.FreeVar):
            self._constants[target] = value.value
            return constant(value.value)
        if isinstance(value, ir.Expr):
            return self._expression(value, target)
        self._use(union(self._of(var) for var in value.list_vars()) if isinstance(value, ir.Yield) else NOTHING)
        return NOTHING

    # expressions

    def _expression(self, e: Any, target: str) -> Values:
        if e.op == "getattr" and e.value.name in self._constants:
            self._constants[target] = getattr(self._constants[e.value.name], e.attr, None)
            return NOTHING
        return getattr(self, f"_on_{e.op}", self._other)(e)

    def _other(self, e: Any) -> Values:
        values = union(self._of(var) for var in e.list_vars())
        self._use(values)
        return frozenset({ANY_NAME}) if any(v.kind == "name" for v in values) else NOTHING

    def _on_cast(self, e: Any) -> Values:
        return self._of(e.value)

    def _on_phi(self, e: Any) -> Values:
        return union(map(self._of, e.incoming_values))

    def _on_build_tuple(self, e: Any) -> Values:
        return together(map(self._of, e.items))

    _on_build_list = _on_build_tuple

    def _on_binop(self, e: Any) -> Values:
        values = self._of(e.lhs) | self._of(e.rhs)
        if e.fn in _COMPARE or (e.fn in _LOGIC and MASK in values):
            self._use(values)
            return frozenset({MASK})
        return self._other(e)

    def _on_unary(self, e: Any) -> Values:
        values = self._of(e.value)
        self._use(values)
        return values & {MASK}

    def _on_inplace_binop(self, e: Any) -> Values:
        values = self._of(e.lhs)
        self._change(values)
        self._use(values | self._of(e.rhs))
        kept = frozenset(v for v in values if v.kind in ("column", "mask") or v.name in self._trail.arrays)
        return kept or self._other(e)

    def _on_getattr(self, e: Any) -> Values:
        return union(self._attribute(v, e.attr) for v in self._of(e.value))

    def _attribute(self, v: Value, name: str) -> Values:
        if v.kind in ("column", "cell", "taken", "batch", "copy") and name in _ABOUT:
            return NOTHING
        if v.kind == "record" or (v.kind in ("batch", "copy") and not hasattr(np.ndarray, name)):
            return self._item(v, frozenset({Value("name", name)}))
        if v.kind in ("column", "cell", "taken") and name in _VIEWS:
            return frozenset({v})
        self._fill(name, frozenset({v}))
        return NOTHING

    def _on_getitem(self, e: Any) -> Values:
        index = self._of(e.index)
        self._use(index)
        return union(self._item(v, index) for v in self._of(e.value))

    def _on_static_getitem(self, e: Any) -> Values:
        return union(self._item(v, constant(e.index)) for v in self._of(e.value))

    def _item(self, v: Value, index: Values) -> Values:
        if v.kind in ("record", "batch", "copy"):
            kind = {"record": "cell", "batch": "column", "copy": "taken"}[v.kind]
            names = {Value(kind, i.name) for i in index if i.kind == "name"}
            if Value(kind) in names or (v.kind == "record" and not names):
                self._whole()
                return NOTHING
            return frozenset(names) or self._rows(v, index)
        if v.kind == "column":
            wide = SLICE in index or any(SLICE in place.of for i in index for place in i.of)
            return frozenset({v if wide else Value("taken" if MASK in index else "cell", v.name)})
        if v.kind == "tuple":
            return frozenset({v}) if SLICE in index else picked(v, index)
        return frozenset({v}) & {Value("cell", v.name), Value("taken", v.name)}

    def _rows(self, v: Value, index: Values) -> Values:
        """Some rows of a batch: a slice is a view, a mask copies, anything else is one record."""
        if v.kind == "copy" or MASK in index:
            return frozenset({COPY})
        return frozenset({BATCH if SLICE in index else RECORD})

    # iteration

    def _elements(self, values: Values) -> Values:
        inner = {"batch": RECORD, "copy": COPY, "name": ANY_NAME}
        out = {inner[v.kind] for v in values if v.kind in inner}
        out |= {v for v in values if v.kind in ("cell", "taken")}
        out |= {Value("cell", v.name) for v in values if v.kind == "column"}
        if RECORD in values:
            self._whole()
        out |= union(v.of for v in values if v.kind == "iter")
        return frozenset(out) | union(picked(v, NOTHING) for v in values if v.kind == "tuple")

    def _on_getiter(self, e: Any) -> Values:
        return holding("iter", self._elements(self._of(e.value)))

    def _on_iternext(self, e: Any) -> Values:
        return holding("pair", union(v.of for v in self._of(e.value) if v.kind == "iter"))

    def _on_pair_first(self, e: Any) -> Values:
        return union(v.of for v in self._of(e.value))

    def _on_pair_second(self, e: Any) -> Values:
        return NOTHING

    def _on_exhaust_iter(self, e: Any) -> Values:
        values = self._of(e.value)
        kept = frozenset(v for v in values if v.kind == "tuple")
        return kept | together([self._elements(values - kept)] * e.count)

    # calls

    def _on_call(self, e: Any) -> Values:
        args = [self._of(var) for var in e.args]
        named = {name: self._of(var) for name, var in e.kws}
        more = self._of(e.vararg) if e.vararg is not None else NOTHING
        callee, bound = self._constants.get(e.func.name), self._of(e.func)
        if isinstance(callee, Stage):
            callee = callee.function
        function = getattr(callee, "py_func", callee) if isinstance(callee, Dispatcher) else callee
        if isinstance(function, FunctionType) and not _of_library(function) and not more:
            return self._enter(function, args, named)
        if function in (len, enumerate, zip, reversed):
            return self._builtin(function, args)
        self._handed(function, args, named, more)
        values = union([*args, *named.values(), more])
        if function is slice:
            return frozenset({SLICE})
        if _short(function) in _VIEWS and args:
            return frozenset(v for v in args[0] if v.kind in ("column", "cell", "taken"))
        return bound | (values & {MASK}) | ({ANY_NAME} if any(v.kind == "name" for v in values) else NOTHING)

    def _builtin(self, function: Any, args: list[Values]) -> Values:
        if function is len:
            return NOTHING
        inner = list(map(self._elements, args))
        if function is reversed:
            return holding("iter", union(inner))
        return holding("iter", together([NOTHING, *inner[:1]] if function is enumerate else inner))

    def _handed(self, function: Any, args: list[Values], named: dict[str, Values], more: Values) -> None:
        """Arguments go to a function that is not followed: a library's reads fields, any other may do anything."""
        out = named.get("out", NOTHING)
        given = [*args, *(v for name, v in named.items() if name != "out"), more]
        if isinstance(function, np.ufunc):
            out, given = union([out, *args[function.nin :]]), [*args[: function.nin], *given[len(args) :]]
        elif _of_library(function) and args:
            self._fill(_short(function), given.pop(0))
        elif self._out_of_sight(union([*given, out])):
            self._whole()
        self._overwrite(out)
        self._use(union(given))

    def _out_of_sight(self, values: Values) -> bool:
        return carries(values) or any(v.name in self._trail.arrays for v in values if v.kind == "cell")

    def _enter(self, function: Any, args: list[Values], named: dict[str, Values]) -> Values:
        try:
            bound = inspect.signature(function).bind(*args, **named)
        except TypeError:  # the call itself is wrong, which Python or Numba will say
            self._handed(None, args, named, NOTHING)
            return NOTHING
        given = {}
        for name, parameter in bound.signature.parameters.items():
            if name not in bound.arguments:
                given[name] = constant(parameter.default)
            elif parameter.kind is parameter.VAR_POSITIONAL:
                given[name] = together(bound.arguments[name])
            elif parameter.kind is parameter.VAR_KEYWORD:
                self._handed(None, [], bound.arguments[name], NOTHING)
            else:
                given[name] = bound.arguments[name]
        return self._trail.follow(function, given, self._depth + 1)


def _of_library(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    return function is prange or module.partition(".")[0] in _LIBRARIES


def _short(function: Any) -> str:
    return getattr(function, "__name__", "") if _of_library(function) else ""
