"""The walks over a whole spec that every use of it takes: whether it fits, what its lines are, what lines say.

Rule 1. Made once for each class, of closures: a spec of ten thousand stages has a quarter of a million values.
Rule 2. They say what `misfits`, `to_data` and `Reader` of `codec` say, without places, without findings; where
    something is odd these are asked as well. A test holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from functools import cache
from operator import attrgetter
from typing import Any

from byteor.spec.codec import I64, Kind, Slot, slots_of

LOW, HIGH = I64.start, I64.stop


@cache
def fits(kind: Kind) -> Callable[[Any], bool]:
    """Make the test whether a value is what a document can carry in a place of this kind."""
    made = {"str": _is_text, "int": _is_int, "bool": _is_bool}.get(kind.tag) or _whole(kind)
    return (lambda value: value is None or made(value)) if kind.optional else made


def _is_text(value: Any) -> bool:
    return type(value) is str and value.isascii() and value.isprintable() and value == value.strip()


def _is_int(value: Any) -> bool:
    return type(value) is int and LOW <= value < HIGH


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _whole(kind: Kind) -> Callable[[Any], bool]:
    if kind.item is not None:
        item = fits(kind.item)
        return lambda value: type(value) is tuple and all(map(item, value))
    assert kind.cls is not None
    cls, slots = kind.cls, slots_of(kind.cls)
    tests = [fits(slot.kind) for slot in slots]
    values = attrgetter(*(slot.attr for slot in slots), "__class__")

    def whole(value: Any) -> bool:
        if type(value) is not cls:
            return False
        for test, part in zip(tests, values(value), strict=False):  # noqa: SIM110 - a generator costs a third more
            if not test(part):
                return False
        return True

    return whole


Writer = Callable[[Any, str, list[str]], None]


@cache
def writer(kind: Kind) -> Writer:
    """Make what appends the lines of a value, `path=value`, each with its line feed."""
    if kind.item is not None:
        return _list(writer(kind.item), kind.optional)
    if kind.cls is not None:
        return _table(kind.cls)
    return _bool if kind.tag == "bool" else _scalar


def _scalar(value: Any, path: str, lines: list[str]) -> None:
    lines.append(f"{path}={value}\n")


def _bool(value: Any, path: str, lines: list[str]) -> None:
    lines.append(f"{path}=true\n" if value else f"{path}=false\n")


def _list(item: Writer, optional: bool) -> Writer:
    def write(value: Any, path: str, lines: list[str]) -> None:
        if not value and optional:
            lines.append(f"{path}=\n")
        for i, part in enumerate(value):
            item(part, f"{path}.{i}", lines)

    return write


def _table(cls: type) -> Writer:
    slots = slots_of(cls)
    rows = [(f".{slot.key}", slot.default, writer(slot.kind)) for slot in slots]
    values = attrgetter(*(slot.attr for slot in slots), "__class__")

    def write(value: Any, path: str, lines: list[str]) -> None:
        for (key, default, part), item in zip(rows, values(value), strict=False):
            if item is not None and item != default:
                part(item, path + key, lines)

    return write


class Odd(Exception):
    """A tree of texts departs from the plain form; only `codec.Reader` says how."""


Reading = Callable[[Any], Any]
_NEEDED = object()
_BOOLS = {"true": True, "false": False}


@cache
def reader(kind: Kind) -> Reading:
    """Make what reads a tree of texts as a value, or raises `Odd`."""
    if kind.item is not None:
        return _items(reader(kind.item), kind.optional)
    if kind.cls is not None:
        return _fields(kind.cls)
    return {"str": _read_text, "int": _read_int, "bool": _read_bool}[kind.tag]


def _read_text(node: Any) -> Any:
    if type(node) is not str:
        raise Odd
    return node


def _read_int(node: Any) -> Any:
    if type(node) is not str or len(node) > 20 or not node.removeprefix("-").isdecimal():
        raise Odd
    value = int(node)
    if str(value) != node or not LOW <= value < HIGH:
        raise Odd
    return value


def _read_bool(node: Any) -> Any:
    if type(node) is not str or node not in _BOOLS:
        raise Odd
    return _BOOLS[node]


def _items(item: Reading, optional: bool) -> Reading:
    def read(node: Any) -> Any:
        if type(node) is not dict:
            if node == "" and optional:
                return ()
            raise Odd
        try:
            return tuple([item(node[str(i)]) for i in range(len(node))])
        except KeyError:
            raise Odd from None

    return read


def _fields(cls: type) -> Reading:
    rows = [(slot.key, _absent(slot), reader(slot.kind)) for slot in slots_of(cls)]

    def read(node: Any) -> Any:
        if type(node) is not dict:
            raise Odd
        seen, values = 0, []
        for key, absent, part in rows:
            if (child := node.get(key)) is not None:
                seen += 1
                values.append(part(child))
            elif absent is _NEEDED:
                raise Odd
            else:
                values.append(absent)
        if seen != len(node):
            raise Odd
        return cls(*values)

    return read


def _absent(slot: Slot) -> Any:
    if slot.default is not MISSING:
        return slot.default
    if slot.kind.optional:
        return None
    return () if slot.kind.tag == "tuple" else _NEEDED
