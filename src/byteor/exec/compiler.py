"""From a stage's code to its compiled loop.

Rule 1. A stage is compiled with the types of its ring; what cannot be compiled is a finding, not an error.
Rule 2. What decides the loop (does it raise, what does it answer) is found out once and remembered
        under the code's fingerprint, so that a warm start compiles nothing.
"""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.core import errors, types
from numba.extending import overload

from byteor.diag import Diagnostic
from byteor.exec import findings as x
from byteor.exec.stage import Stage, arguments
from byteor.kernel.cache import fingerprint, remembered
from byteor.kernel.hot import lending
from byteor.kernel.keys import make_rows_of
from byteor.kernel.loops import Shape, make_batch_loop, make_message_loop
from byteor.kernel.ring import make_source_loop
from byteor.kernel.shapes import Brief
from byteor.spec.model import Stage as Spec


class NotCompilable(Exception):
    """Numba refused a stage; the reason is one sentence."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What compiling a stage's function told: its answer (none, keep, mask) and whether it can raise."""

    answer: str
    raises: bool


@overload(operator.setitem)
def _set_field(batch: Any, name: Any, values: Any) -> Any:
    """Let compiled stages write `batch["field"] = values` as numpy does."""
    if not isinstance(batch, types.Array) or not isinstance(batch.dtype, types.Record):
        return None
    if not isinstance(name, types.StringLiteral):
        return None
    field = name.literal_value

    def put(batch: Any, name: Any, values: Any) -> None:
        batch[field][:] = values

    return put


def native(function: Any, boundscheck: bool = True) -> Any:
    """A user's function, ready to be compiled into a loop.

    Not as a callee: three stages behind one producer ran at a third of their rate with what LLVM made of that.
    """
    return numba.njit(boundscheck=boundscheck)(getattr(function, "py_func", function))


def adapted(spec: Spec, code: Stage, *kinds: np.dtype) -> Any:
    """The stage's function with the arguments of the loops, whatever it asks for and in whatever order."""
    flat = spec.form == "batch" and spec.state is not None and not spec.state.by
    return _adapted(code.function, fingerprint(code.function, lenient=True), flat, spec.boundscheck, kinds)


@functools.cache
def _adapted(function: Any, _content: str, flat: bool, boundscheck: bool, _kinds: tuple[np.dtype, ...]) -> Any:
    """The same dispatcher for the same function, as long as all that it reaches is the same: code is never freed.

    One for each set of record types: Numba would take a longer record for a kind of a shorter one.

    Written out as text, since Numba has no other way to drop and reorder arguments at no cost.
    """
    names = {"live": "live", "index": "index", "state": "state[0]" if flat else "state", "p": "p"}
    asked = ", ".join(["first", *(names[n] for n in arguments(function)[1:])])
    text = f"lambda first, live, index, state, p: f({asked})"
    return numba.njit(pipeline_class=Brief)(eval(text, {"f": native(function, boundscheck)}))


def signature(spec: Spec, slots: np.ndarray, table: np.ndarray, p: np.ndarray) -> tuple[Any, ...]:
    """The types that the loop calls a stage with."""
    messages, rows = numba.typeof(slots), numba.typeof(table)
    record = numba.typeof(p).dtype
    if spec.form == "message":
        return messages.dtype, types.intp, types.intp, rows.dtype, record
    lives, indices = types.Array(types.boolean, 1, "C"), types.Array(types.int32, 1, "C")
    return messages, lives, indices, rows, record


def facts(call: Any, sig: tuple[Any, ...]) -> Facts:
    """Find out, or remember, what the loop must know of a stage; raises NotCompilable."""
    return Facts(**remembered(call.py_func, str(sig), lambda: _compile(call, sig)))


def _compile(call: Any, sig: tuple[Any, ...]) -> dict[str, Any]:
    try:
        call.compile(sig)
    except errors.NumbaError as e:
        raise NotCompilable(_reason(e)) from e
    except KeyError as e:  # so Numba tells a field that a record does not have
        raise NotCompilable(f"there is no field `{e.args[0]}`") from e
    except Exception as e:  # Numba lets errors of its own inner parts through
        raise NotCompilable(f"{type(e).__name__}: {e}".splitlines()[0]) from e
    answer = call.overloads[sig].signature.return_type
    inner = call.inspect_llvm(sig)
    return {"answer": _answer(answer), "raises": _can_raise(inner)}


def _answer(answer: Any) -> str:
    plain = answer.type if isinstance(answer, types.Optional) else answer
    if isinstance(plain, types.NoneType):
        return "none"
    if isinstance(plain, types.Array):
        return "mask"
    if isinstance(plain, types.Boolean | types.Integer | types.BooleanLiteral):
        return "keep"
    raise NotCompilable(f"it answers with {plain}, which is neither None, a truth value nor a mask")


def _can_raise(llvm: str) -> bool:
    """Whether any function of the module can end with another status than 0 (done) or -2 (None)."""
    return any(_statuses(llvm, value) - {"0", "-2"} for value in set(re.findall(r"\bret i32 (\S+)", llvm)))


def _statuses(llvm: str, value: str) -> set[str]:
    """The values that a status can have; a name stands for one that the text does not show."""
    if not value.startswith("%"):
        return {value}
    made = re.findall(rf"^\s*{re.escape(value)} = (?:select|phi) (.*)$", llvm, re.M)
    told = {v for line in made for v in re.findall(r"(?:i32 |\[ )(%?[-\w.]+)", line.replace("i1 %", ""))}
    return told or {value}


def _reason(error: errors.NumbaError) -> str:
    """Numba's reason in one sentence, with the stage's own line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    where = [m for line in lines for m in re.findall(r'File "([^"<]+)", line (\d+)', line)]
    said = next((line for line in lines if not line.startswith(_NOISE)), "it is not typed")
    said = re.sub(r"\x1b\[[0-9;]*m", "", said).rstrip(":. ")
    return said + (f" (line {where[-1][1]} of {where[-1][0].rpartition('/')[2]})" if where else "")


_NOISE = ("Failed in", "No implementation", "During", "File", "There are", "- ", "\x1b[1mFailed in")


@functools.cache
def loop(form: str, call: Any, row_of: Any, shape: Shape) -> Any:
    """The compiled loop of a stage, from the cache where it is known."""
    if form == "message":
        return lending(make_message_loop(call, row_of, shape))
    return lending(make_batch_loop(call, make_rows_of(row_of), shape))


def source_loop(make: Any) -> Any:
    """The compiled loop of a source: a function of (record, number)."""
    return _source_loop(make, fingerprint(make, lenient=True))


@functools.cache
def _source_loop(make: Any, _content: str) -> Any:
    scope = {"f": native(make)}
    return lending(make_source_loop(numba.njit(eval("lambda record, number, p: f(record, number)", scope))))


def part(function: Any, boundscheck: bool) -> Any:
    """A stage's begin or end, compiled."""
    return _part(function, fingerprint(function, lenient=True), boundscheck)


@functools.cache
def _part(function: Any, _content: str, boundscheck: bool) -> Any:
    return lending(native(function, boundscheck))


def not_compilable(spec: Spec, code: Stage, path: str, reason: NotCompilable) -> Diagnostic:
    """The finding for a stage that Numba refuses."""
    line = getattr(getattr(code.function, "__code__", None), "co_firstlineno", None)
    where = f" (line {line})" if line else ""
    message = f"stage `{spec.name}`{where} cannot be compiled: {reason}"
    return x.STAGE_NOT_COMPILABLE.at(f"{path}.call", message, help="change that line, or declare `compiled = false`")
