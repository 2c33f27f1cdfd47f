"""Plain memory by address: a role's private words, and rows of any size that it moves without knowing their type.

Rule 1. Nothing here orders anything: private words have one thread, rows are ordered by the words around them.
Rule 2. Rows are named by base and index, never by a sum: so the explorer knows which slot is meant.
Rule 3. Addresses, not arrays: an array costs a reference count wherever it is taken out of something.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from byteor.kernel.hot import hot

I8, I16, I32, I64, U8, U16, U32 = range(7)  # the integers that a key can be
KINDS = {"i1": I8, "i2": I16, "i4": I32, "i8": I64, "u1": U8, "u2": U16, "u4": U32}
_WORD = types.int64
_LL = ir.IntType(64)


def _at(builder: Any, address: Any, bits: int) -> Any:
    return builder.inttoptr(address, ir.IntType(bits).as_pointer())


def _load(bits: int, signed: bool = True) -> Any:
    @intrinsic
    def load(_typing: Any, address: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            value = builder.load(_at(builder, args[0], bits), align=1)
            if bits == 64:
                return value
            return builder.sext(value, _LL) if signed else builder.zext(value, _LL)

        return _WORD(_WORD), codegen

    return load


def _store(bits: int) -> Any:
    @intrinsic
    def store(_typing: Any, address: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            value = args[1] if bits == 64 else builder.trunc(args[1], ir.IntType(bits))
            builder.store(value, _at(builder, args[0], bits), align=1)
            return context.get_dummy_value()

        return types.void(_WORD, _WORD), codegen

    return store


_load8, _load16, _load32, _load64 = (_load(bits) for bits in (8, 16, 32, 64))
_load8u, _load16u, _load32u = (_load(bits, signed=False) for bits in (8, 16, 32))
_store8, _store16, _store32, _store64 = (_store(bits) for bits in (8, 16, 32, 64))


@intrinsic
def _copy(_typing: Any, to: Any, source: Any, count: Any) -> Any:
    """Copy `count` bytes; the two do not overlap."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        to, source, count = args
        cgutils.raw_memcpy(builder, _at(builder, to, 8), _at(builder, source, 8), count, 1)
        return context.get_dummy_value()

    return types.void(_WORD, _WORD, _WORD), codegen


@intrinsic
def _clear(_typing: Any, to: Any, count: Any) -> Any:
    """Set `count` bytes to zero."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        cgutils.memset(builder, _at(builder, args[0], 8), args[1], 0)
        return context.get_dummy_value()

    return types.void(_WORD, _WORD), codegen


@intrinsic
def _pointer(_typing: Any, address: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _at(builder, args[0], 8)

    return types.voidptr(_WORD), codegen


@hot
def own(address):
    """A private word."""
    return _load64(address)


@hot
def keep(address, value):
    """Set a private word."""
    _store64(address, value)


@hot
def row_word(base, index):
    """A word of a side array."""
    return _load64(base + 8 * index)


@hot
def set_row_word(base, index, value):
    """Set a word of a side array."""
    _store64(base + 8 * index, value)


@hot
def copy_row(to, at, to_size, source, start, size, count):
    """Copy `count` bytes of the row `start` of `source`, whose rows have `size` bytes, into row `at` of `to`."""
    _copy(to + at * to_size, source + start * size, count)


@hot
def clear_rows(to, at, size, count):
    """Set `count` rows from row `at` on to zero."""
    _clear(to + at * size, count * size)


@hot
def peek(base, index, size, offset, kind):
    """The integer at `offset` of row `index`."""
    address = base + index * size + offset
    if kind == I64:
        return _load64(address)
    if kind == I32:
        return _load32(address)
    if kind == U32:
        return _load32u(address)
    if kind == I16:
        return _load16(address)
    if kind == U16:
        return _load16u(address)
    return _load8(address) if kind == I8 else _load8u(address)


@hot
def poke(base, index, size, offset, kind, value):
    """Set the integer at `offset` of row `index`; what does not fit is cut."""
    address = base + index * size + offset
    if kind == I64:
        _store64(address, value)
    elif kind == I32 or kind == U32:
        _store32(address, value)
    elif kind == I16 or kind == U16:
        _store16(address, value)
    else:
        _store8(address, value)


@functools.cache
def view(dtype: np.dtype) -> Any:
    """The function that sees `count` rows from an address on as an array of `dtype`."""

    @hot
    def rows(address, count):
        return numba.carray(_pointer(address), (count,), dtype)

    return rows
