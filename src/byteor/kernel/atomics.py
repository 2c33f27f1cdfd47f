"""Shared words by memory order: the only file that names LLVM's atomics.

Rule 1. Shared words are reached through these operations alone, as addresses (int64).
Rule 2. An operation's name says its order; each release names its acquire where it is called.
Rule 3. The explorer knows these names: what is added here is added there (`byteor.testing`).
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_WORD = types.int64
_X86 = platform.machine() in ("x86_64", "AMD64")
HAS_FUTEX = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")

Emit = Callable[..., Any]


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _I64.as_pointer())


def _operation(arity: int, emit: Emit, result: Any = _WORD) -> Any:
    """One LLVM operation over `arity` int64 arguments, as a Numba intrinsic."""
    signature = result(*[_WORD] * arity)

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        value = emit(builder, *args)
        return context.get_dummy_value() if result is types.void else value

    def none(_typing: Any) -> Any:
        return signature, codegen

    def one(_typing: Any, a: Any) -> Any:
        return signature, codegen

    def two(_typing: Any, a: Any, b: Any) -> Any:
        return signature, codegen

    def three(_typing: Any, a: Any, b: Any, c: Any) -> Any:
        return signature, codegen

    return intrinsic((none, one, two, three)[arity])


def _load(order: str) -> Any:
    return _operation(1, lambda b, a: b.load_atomic(_pointer(b, a), order, 8))


def _store(order: str) -> Any:
    return _operation(2, lambda b, a, v: b.store_atomic(v, _pointer(b, a), order, 8), types.void)


def _fence(order: str) -> Any:
    return _operation(0, lambda b: b.fence(order), types.void)


def _pause(b: Any) -> None:
    if _X86:
        pause = ir.FunctionType(ir.VoidType(), ())
        b.call(b.module.declare_intrinsic("llvm.x86.sse2.pause", (), pause), ())
    elif platform.machine() in ("aarch64", "arm64"):
        hint = ir.FunctionType(ir.VoidType(), (_I32,))
        b.call(b.module.declare_intrinsic("llvm.aarch64.hint", (), hint), (_I32(1),))


def _prefetch(b: Any, a: Any) -> None:
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), (byte, _I32, _I32, _I32))
    fetch = b.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
    b.call(fetch, (b.inttoptr(a, byte), _I32(0), _I32(3), _I32(1)))  # to read, near, data


def _compare_and_swap(b: Any, a: Any, expected: Any, desired: Any) -> Any:
    return b.extract_value(b.cmpxchg(_pointer(b, a), expected, desired, "acq_rel", "acquire"), 0)


load_relaxed = _load("monotonic")
load_acquire = _load("acquire")
store_relaxed = _store("monotonic")
store_release = _store("release")
fetch_add = _operation(2, lambda b, a, v: b.atomic_rmw("add", _pointer(b, a), v, "acq_rel"))
exchange = _operation(2, lambda b, a, v: b.atomic_rmw("xchg", _pointer(b, a), v, "acq_rel"))
cas = _operation(3, _compare_and_swap)  # the value found
fence_acquire = _fence("acquire")
fence_release = _fence("release")
fence_seq_cst = _fence("seq_cst")
spin_hint = _operation(0, _pause, types.void)
prefetch = _operation(1, _prefetch, types.void)  # orders nothing and brings nothing: a wish


@intrinsic
def stack_words(_typing: Any) -> Any:
    """Address of two int64 on the stack of the caller (a timespec)."""

    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        with builder.goto_entry_block():
            place = builder.alloca(_I64, size=2)
        return builder.ptrtoint(place, _I64)

    return _WORD(), codegen
