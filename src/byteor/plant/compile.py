"""From a role's stage to its compiled turns.

Rule 1. A stage is compiled with the types of its lanes; one loop for each function, form and pair of types.
Rule 2. What a stage asks for by name it is given, whatever the order; what it does not ask for costs nothing.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba.core import types

from byteor.exec.compiler import facts, native
from byteor.exec.stage import Stage, arguments
from byteor.kernel.cache import fingerprint
from byteor.kernel.plain import view
from byteor.kernel.shapes import Brief
from byteor.kernel.steps import (
    Form,
    make_batch_work,
    make_giving_batch_work,
    make_giving_work,
    make_message_work,
)
from byteor.spec.model import Stage as Spec

_WORKS = {
    ("message", True): make_message_work,
    ("message", False): make_giving_work,
    ("batch", True): make_batch_work,
    ("batch", False): make_giving_batch_work,
}


def turns_of(
    make_turns: Any,
    spec: Spec,
    code: Stage,
    into: np.dtype,
    out: np.dtype,
    table: np.ndarray,
    p: np.ndarray,
    row_of: Any,
) -> Any:
    """The turns of a stage, to be compiled; raises NotCompilable."""
    call = adapted(spec, code, into, out, table.dtype, p.dtype)
    found = facts(call, signature(spec, into, out, table, p))
    keyed = spec.state is not None and bool(spec.state.by)
    form = Form(spec.min_out == 0, found.raises, keyed, found.answer == "mask", spec.min_out, spec.max_out)
    return _turns(make_turns, spec.form, spec.in_place, view(into), view(out), call, row_of, form)


@functools.cache
def _turns(
    make_turns: Any, form: str, in_place: bool, view_in: Any, view_out: Any, call: Any, row_of: Any, shape: Form
) -> Any:
    return make_turns(_WORKS[form, in_place](view_in, view_out, call, row_of, shape))


def adapted(spec: Spec, code: Stage, *kinds: np.dtype) -> Any:
    """The stage's function with the arguments of the works, whatever it asks for and in whatever order."""
    flat = spec.form == "batch" and spec.state is not None and not spec.state.by
    return _adapted(code.function, fingerprint(code.function, lenient=True), flat, spec.boundscheck, kinds)


@functools.cache
def _adapted(function: Any, _content: str, flat: bool, boundscheck: bool, _kinds: tuple[np.dtype, ...]) -> Any:
    """Written out as text, since Numba has no other way to drop and reorder arguments at no cost."""
    names = {name: name for name in ("out", "src", "live", "index", "p")} | {"state": "state[0]" if flat else "state"}
    asked = ", ".join(["first", *(names[n] for n in arguments(function)[1:])])
    text = f"lambda first, out, src, live, index, state, p: f({asked})"
    return numba.njit(pipeline_class=Brief)(eval(text, {"f": native(function, boundscheck)}))


def signature(spec: Spec, into: np.dtype, out: np.dtype, table: np.ndarray, p: np.ndarray) -> tuple[Any, ...]:
    """The types that the works call a stage with."""
    taken, given = numba.from_dtype(into if not spec.in_place else out), numba.from_dtype(out)
    record, rows = numba.typeof(p).dtype, numba.typeof(table)
    none = types.intp
    if spec.form == "message":
        return taken, none if spec.in_place else _array(given), none, none, none, rows.dtype, record
    lives, indices = _array(types.boolean), _array(types.int32)
    if spec.in_place:
        return _array(taken), none, none, lives, indices, rows, record
    return _array(taken), _array(given), _array(types.int32), lives, indices, rows, record


def _array(kind: Any) -> Any:
    return types.Array(kind, 1, "C")
