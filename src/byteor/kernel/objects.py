"""Calls from Python that take and give objects: one compiled call, without a frame of Python's around it.

Rule 1. They keep the GIL and never wait; `end` is the handle of a lane's end, as the object that holds its block.
Rule 2. Arguments are borrowed, what is answered is a reference of its own, and a null is an exception that is set.
Rule 3. They are methods of `Handle` as an extension module would have them: no tuple of arguments is made.
Rule 4. Only what is exactly of a type named here is looked into; all else, and all that fails, is left to Python.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import NativeValue, box, intrinsic, models, register_model, typeof_impl, unbox

from byteor.kernel.atomics import load_relaxed, prefetch
from byteor.kernel.ends import (
    ANSWER,
    BYTES,
    DTYPE,
    ENDED,
    LENGTHS,
    MASK,
    NEXT,
    OTHERWISE,
    READER_HEAD,
    RECORD,
    RECORDS,
    RING_LENGTHS,
    RING_RECORDS,
    RING_SLOTS,
    RING_STRIDE,
    RING_TAKEN,
    RINGS,
    SLOTS,
    give_back,
    publish,
    ready,
    room,
    take,
)
from byteor.kernel.hot import compiled, hot


class Handle(bytearray):
    """The block of an end as an object, which keeps that end, and what its words point to.

    An end and its handle keep each other: its words are a memoryview, which the collector can see through.
    """

    def __init__(self, block: bytes, end: object) -> None:
        super().__init__(block)
        self.end, self.words = end, memoryview(self).cast("q")
        self.address = int(np.frombuffer(self, np.int64).ctypes.data)
        self._kept: dict[int, Any] = {}

    def keep(self, word: int, *objects: Any) -> None:
        """Let words, from this one on, point to objects."""
        for i, one in enumerate(objects, word):
            self.words[i], self._kept[i] = id(one), one


class Object(types.Opaque):  # type: ignore[misc]
    """Any object of Python's."""


OBJECT = Object("Object")
_WORD, _LL, _POINTER = types.int64, ir.IntType(64), ir.IntType(8).as_pointer()
_I32 = ir.IntType(32)
register_model(Object)(models.OpaqueModel)


@typeof_impl.register(Handle)
def _typeof(_value: Any, _context: Any) -> Object:
    return OBJECT


@unbox(Object)
def _unbox(_kind: Any, value: Any, _context: Any) -> NativeValue:
    return NativeValue(value)


@box(Object)
def _box(_kind: Any, value: Any, _context: Any) -> Any:
    return value


def _c(builder: Any, name: str, result: Any, args: list[Any]) -> Any:
    """Call a function of Python's C interface."""
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _POINTER)


@intrinsic
def block_of(_typing: Any, end: Any) -> Any:
    """The address of a handle's block."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ptrtoint(_c(builder, "PyByteArray_AsString", _POINTER, [args[0]]), _LL)

    return _WORD(OBJECT), codegen


def _is_exactly(names: tuple[str, ...]) -> Any:
    @intrinsic
    def is_one(_typing: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            api = context.get_python_api(builder)
            kinds = [api.get_c_object(name) for name in names]
            mine = api.get_type(args[0])
            same = [builder.icmp_unsigned("==", mine, kind) for kind in kinds]
            found = same[0]
            for one in same[1:]:
                found = builder.or_(found, one)
            return found

        return types.boolean(OBJECT), codegen

    return is_one


is_bytes = _is_exactly(("PyBytes_Type",))
is_plain = _is_exactly(
    ("PyTuple_Type", "PyLong_Type", "PyFloat_Type")
)  # numpy converts these; none of them has a dtype


@intrinsic
def is_record(_typing: Any, value: Any, kind: Any, dtype: Any) -> Any:
    """Whether a value is exactly of a type, by its address, and its `dtype` the very one at an address."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        api = context.get_python_api(builder)
        same = builder.icmp_unsigned("==", api.get_type(args[0]), _at(builder, args[1]))
        found = cgutils.alloca_once_value(builder, same)
        with builder.if_then(same):
            mine = api.object_getattr_string(args[0], "dtype")
            builder.store(builder.icmp_unsigned("==", mine, _at(builder, args[2])), found)
            api.decref(mine)
        return builder.load(found)

    return types.boolean(OBJECT, _WORD, _WORD), codegen


@intrinsic
def size_of(_typing: Any, message: Any) -> Any:
    """Length of bytes."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _c(builder, "PyBytes_Size", _LL, [args[0]])

    return _WORD(OBJECT), codegen


@intrinsic
def put_bytes(_typing: Any, base: Any, lengths: Any, index: Any, slot_bytes: Any, message: Any, size: Any) -> Any:
    """Copy bytes into a slot, and note their length."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        base, lengths, index, slot_bytes, message, size = args
        to = _at(builder, builder.add(base, builder.mul(index, slot_bytes)))
        cgutils.raw_memcpy(builder, to, _c(builder, "PyBytes_AsString", _POINTER, [message]), size, 1)
        length = builder.inttoptr(lengths, _I32.as_pointer())
        builder.store(builder.trunc(size, _I32), builder.gep(length, [index]))
        return context.get_dummy_value()

    return types.void(_WORD, _WORD, _WORD, _WORD, OBJECT, _WORD), codegen


@intrinsic
def get_bytes(_typing: Any, base: Any, lengths: Any, index: Any, slot_bytes: Any) -> Any:
    """New bytes, of what lies in a slot; its length is another's word, read once."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        base, lengths, index, slot_bytes = args
        length = builder.inttoptr(lengths, _I32.as_pointer())
        said = builder.zext(builder.load(builder.gep(length, [index]), typ=_I32), _LL)
        size = builder.select(builder.icmp_unsigned("<", said, slot_bytes), said, slot_bytes)
        source = _at(builder, builder.add(base, builder.mul(index, slot_bytes)))
        return _c(builder, "PyBytes_FromStringAndSize", _POINTER, [source, size])

    return OBJECT(_WORD, _WORD, _WORD, _WORD), codegen


@intrinsic
def put_record(_typing: Any, records: Any, index: Any, message: Any) -> Any:
    """Let numpy write into a record; false when it has raised."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        records, index, message = args
        done = _c(builder, "PySequence_SetItem", _I32, [_at(builder, records), index, message])
        return builder.icmp_signed("==", done, _I32(0))

    return types.boolean(_WORD, _WORD, OBJECT), codegen


@intrinsic
def get_record(_typing: Any, records: Any, index: Any) -> Any:
    """What an array of numpy's has at an index; a view of it when it is a record."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _c(builder, "PySequence_GetItem", _POINTER, [_at(builder, args[0]), args[1]])

    return OBJECT(_WORD, _WORD), codegen


@intrinsic
def kept(_typing: Any, address: Any) -> Any:
    """The object at an address."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        found = _at(builder, args[0])
        context.get_python_api(builder).incref(found)
        return found

    return OBJECT(_WORD), codegen


@intrinsic
def call(_typing: Any, function: Any, argument: Any) -> Any:
    """What a function of Python's answers."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _c(builder, "PyObject_CallOneArg", _POINTER, [_at(builder, args[0]), args[1]])

    return OBJECT(_WORD, OBJECT), codegen


@intrinsic
def none(_typing: Any) -> Any:
    """None."""

    def codegen(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        return context.get_python_api(builder).make_none()

    return OBJECT(), codegen


@intrinsic
def null(_typing: Any) -> Any:
    """No object: an exception is set."""

    def codegen(_context: Any, _builder: Any, _signature: Any, _args: Any) -> Any:
        return ir.Constant(_POINTER, None)

    return OBJECT(), codegen


@intrinsic
def is_null(_typing: Any, value: Any) -> Any:
    """Whether an exception is set instead."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return cgutils.is_null(builder, args[0])

    return types.boolean(OBJECT), codegen


@hot
def goes(handle):
    """Whether a message may be sent now."""
    return load_relaxed(load_relaxed(handle + ENDED)) == 0 and room(handle) > 0


@hot
def send_bytes(end, message):
    """Send bytes; what is none, is too long, or finds no room is left to Python."""
    handle = block_of(end)
    slot_bytes = load_relaxed(handle + BYTES)
    if not is_bytes(message) or size_of(message) > slot_bytes or not goes(handle):
        return call(load_relaxed(handle + OTHERWISE), message)
    sequence = load_relaxed(handle + NEXT)
    at = sequence & load_relaxed(handle + MASK)
    slots, lengths = load_relaxed(handle + SLOTS), load_relaxed(handle + LENGTHS)
    put_bytes(slots, lengths, at, slot_bytes, message, size_of(message))
    publish(handle, sequence + 1)
    return kept(load_relaxed(handle + ANSWER))


@hot
def is_ours(handle, message):
    """Whether a message can be written into a slot as it is."""
    return is_plain(message) or is_record(message, load_relaxed(handle + RECORD), load_relaxed(handle + DTYPE))


@hot
def send_record(end, message):
    """Send one record; what is of another type, or finds no room, is left to Python."""
    handle = block_of(end)
    if not is_ours(handle, message) or not goes(handle):
        return call(load_relaxed(handle + OTHERWISE), message)
    sequence = load_relaxed(handle + NEXT)
    if not put_record(load_relaxed(handle + RECORDS), sequence & load_relaxed(handle + MASK), message):
        return null()
    publish(handle, sequence + 1)
    return kept(load_relaxed(handle + ANSWER))


@hot
def wish(handle):
    """Let the lengths of what comes next come together with the cursors."""
    for ring in range(load_relaxed(handle + RINGS)):
        part = handle + READER_HEAD + ring * RING_STRIDE
        at = load_relaxed(part + RING_TAKEN) & load_relaxed(handle + MASK)
        prefetch(load_relaxed(part + RING_LENGTHS) + at * 4)


@hot
def receive_bytes(end, _):
    """The next message as bytes; None when there is none."""
    handle = block_of(end)
    give_back(handle)
    part = ready(handle)
    if part == 0:
        wish(handle)
        return none()
    taken = load_relaxed(part + RING_TAKEN)
    slots, lengths = load_relaxed(part + RING_SLOTS), load_relaxed(part + RING_LENGTHS)
    found = get_bytes(slots, lengths, taken & load_relaxed(handle + MASK), load_relaxed(handle + BYTES))
    if not is_null(found):
        take(handle, part, taken + 1)
    return found


@hot
def receive_record(end, _):
    """The next record, as numpy shows it; None when there is none."""
    handle = block_of(end)
    give_back(handle)
    part = ready(handle)
    if part == 0:
        return none()
    taken = load_relaxed(part + RING_TAKEN)
    found = get_record(load_relaxed(part + RING_RECORDS), taken & load_relaxed(handle + MASK))
    if not is_null(found):
        take(handle, part, taken + 1)
    return found


class _Definition(ctypes.Structure):
    """What Python's C interface calls a method definition."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_NO_ARGUMENTS, _ONE_ARGUMENT = 0x4, 0x8


@functools.cache
def _defined(function: Any, name: str, flags: int) -> tuple[_Definition, Any]:
    """The definition, and the code that it points to: both live as long as the process."""
    code = compiled(function, OBJECT, OBJECT)
    address = code.library.get_pointer_to_function(code.fndesc.llvm_cfunc_wrapper_name)
    return _Definition(name.encode(), address, flags, function.__doc__.encode()), code


def method(function: Any, end: Handle, name: str, arguments: int) -> Callable[..., Any]:
    """A function of (end, argument) as a method of a handle, with one argument or none."""
    definition, _ = _defined(function, name, _ONE_ARGUMENT if arguments else _NO_ARGUMENTS)
    made: Callable[..., Any] = _new_method(ctypes.byref(definition), end, None)
    return made


_new_method = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Definition), ctypes.py_object, ctypes.c_void_p)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)
