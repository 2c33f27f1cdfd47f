"""Values to plain data and back, driven by the declarations of the dataclasses themselves.

Rule 1. A field's annotation is all there is to know: str, int, bool, a dataclass, X | None, tuple[X, ...].
Rule 2. None is left out, and so is an empty tuple, except where None is possible: there it is written, empty.
Rule 3. A field with a default may be left out, and is, when it has its default. A key drops a trailing `_`.
Rule 4. Reading never raises: it reports every finding and gives `BAD`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from dataclasses import field as declare
from datetime import date, time
from difflib import get_close_matches
from functools import cache
from typing import Any

BAD: Any = object()
I64 = range(-(2**63), 2**63)
SUGGESTIONS = 20

Report = Callable[[str, str, str, str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """An annotation taken apart: `tag` is str, int, bool, object or tuple."""

    tag: str
    optional: bool = False
    cls: type | None = None
    item: Kind | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a dataclass as a document sees it."""

    key: str
    attr: str
    kind: Kind
    default: Any


@dataclass(frozen=True, slots=True)
class Form:
    """How a document departs from the plain tree.

    `indexed`: leaves are texts and arrays are groups of indices (kv).
    `named`: these tuples are tables keyed by name. `inline`: this class is written as its one field.
    `short`: makes the whole of a value that is not a table. `shrink`: the way back.
    `lone`: one value may stand for a list of one.
    """

    indexed: bool = False
    named: frozenset[tuple[type, str]] = frozenset()
    inline: Mapping[type, str] = declare(default_factory=dict)
    short: Mapping[type, Callable[[Any], dict[str, Any] | None]] = declare(default_factory=dict)
    shrink: Mapping[type, Callable[[dict[str, Any]], Any]] = declare(default_factory=dict)
    lone: bool = False


PLAIN = Form()
INDEXED = Form(indexed=True)


@cache
def kind_of(annotation: Any) -> Kind:
    """Take an annotation apart."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        inner = next(a for a in typing.get_args(annotation) if a is not type(None))
        kind = kind_of(inner)
        return Kind(kind.tag, True, kind.cls, kind.item)
    if typing.get_origin(annotation) is tuple:
        return Kind("tuple", item=kind_of(typing.get_args(annotation)[0]))
    if is_dataclass(annotation):
        return Kind("object", cls=typing.cast(type, annotation))
    return Kind(annotation.__name__)


@cache
def _slots(cls: Any) -> tuple[Slot, ...]:
    hints = typing.get_type_hints(cls)
    return tuple(Slot(f.name.rstrip("_"), f.name, kind_of(hints[f.name]), f.default) for f in fields(cls))


def slots_of(cls: type) -> tuple[Slot, ...]:
    """The fields of a dataclass, in order."""
    return _slots(typing.cast(typing.Hashable, cls))


def shown(text: str) -> str:
    """A text from outside, safe and short enough for a sentence."""
    safe = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return safe if len(safe) <= 60 else safe[:57] + "..."


def near(name: str, names: typing.Iterable[str]) -> str:
    """A help that names the nearest known name, or nothing."""
    found = get_close_matches(name, list(names), 1) if len(name) <= 60 else []
    return f"did you mean `{found[0]}`?" if found else ""


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


class Reader:
    """Read plain data as values; `report(what, path, message, help)` hears every finding.

    `what` is missing, unknown, gap, type, range, number or date.
    """

    def __init__(self, report: Report, form: Form = PLAIN) -> None:
        self._report = report
        self._form = form
        self._hints_left = SUGGESTIONS

    def read(self, cls: type, node: Any, path: str) -> Any:
        """Read one dataclass, or give `BAD`."""
        return self._object(Kind("object", cls=cls), node, path, None)

    def _value(self, kind: Kind, node: Any, path: str, owner: tuple[type, str]) -> Any:
        if kind.tag == "object":
            return self._object(kind, node, path, None)
        if kind.tag == "tuple":
            return self._named(kind, node, path) if owner in self._form.named else self._tuple(kind, node, path, owner)
        return self._text(kind, node, path) if self._form.indexed else self._leaf(kind, node, path)

    def _object(self, kind: Kind, node: Any, path: str, name: str | None) -> Any:
        cls = typing.cast(type, kind.cls)
        if not isinstance(node, dict) and cls in self._form.short:
            if (whole := self._form.short[cls](node)) is None:
                return self._wrong(path, "a name or a table", node)
            node = whole
        if not isinstance(node, dict):
            return self._wrong(path, "a table", node)
        if cls in self._form.inline:
            return self._inline(cls, node, path, name)
        return self._fields(cls, node, path, name)

    def _inline(self, cls: type, node: dict[str, Any], path: str, name: str | None) -> Any:
        attr = self._form.inline[cls]
        slot = next(s for s in slots_of(cls) if s.attr == attr)
        value = self._value(slot.kind, node, path, (cls, attr))
        return BAD if value is BAD else cls(**{"name": name, attr: value})

    def _fields(self, cls: type, node: dict[str, Any], path: str, name: str | None) -> Any:
        got: dict[str, Any] = {} if name is None else {"name": name}
        seen = 0
        for slot in slots_of(cls):
            if slot.attr in got:
                continue
            child = node.get(slot.key, MISSING)
            if child is MISSING:
                got[slot.attr] = self._absent(slot, path)
                continue
            seen += 1
            if slot.kind.tag == "str" and type(child) is str:
                got[slot.attr] = child
            else:
                got[slot.attr] = self._value(slot.kind, child, join(path, slot.key), (cls, slot.attr))
        if seen < len(node):
            self._unknown(cls, node, path, name)
        return BAD if any(v is BAD for v in got.values()) else cls(**got)

    def _absent(self, slot: Slot, path: str) -> Any:
        if slot.default is not MISSING:
            return slot.default
        if slot.kind.optional:
            return None
        if slot.kind.tag == "tuple":
            return ()
        self._report("missing", join(path, slot.key), f"`{slot.key}` is missing", "")
        return BAD

    def _unknown(self, cls: type, node: dict[str, Any], path: str, name: str | None) -> None:
        known = [s.key for s in slots_of(cls) if name is None or s.attr != "name"]
        for key in node:
            if key not in known:
                self._hints_left -= 1
                hint = near(key, known) if self._hints_left >= 0 else ""
                self._report("unknown", join(path, shown(key)), f"`{shown(key)}` is not a key here", hint)

    def _named(self, kind: Kind, node: Any, path: str) -> Any:
        if not isinstance(node, dict):
            return self._wrong(path, "a table", node)
        item = typing.cast(Kind, kind.item)
        return _all([self._object(item, child, join(path, shown(key)), key) for key, child in node.items()])

    def _tuple(self, kind: Kind, node: Any, path: str, owner: tuple[type, str]) -> Any:
        items = self._items(kind, node, path)
        if items is BAD:
            return BAD
        item = typing.cast(Kind, kind.item)
        return _all([self._value(item, child, f"{path}.{i}", owner) for i, child in enumerate(items)])

    def _items(self, kind: Kind, node: Any, path: str) -> Any:
        if isinstance(node, list):
            return node
        if self._form.indexed and isinstance(node, dict):
            return self._indexed(node, path)
        if self._form.indexed and node == "" and kind.optional:
            return []
        if self._form.lone and isinstance(node, str):
            return [node]
        return self._wrong(path, "a list", node)

    def _indexed(self, node: dict[str, Any], path: str) -> Any:
        items = [node.get(str(i), BAD) for i in range(len(node))]
        if BAD not in items:
            return items
        gap = items.index(BAD)
        extra = next(k for k in node if k not in {str(i) for i in range(gap)})
        self._report("gap", join(path, shown(extra)), f"index {gap} is missing before `{shown(extra)}`", "")
        return BAD

    def _text(self, kind: Kind, node: Any, path: str) -> Any:
        if not isinstance(node, str):
            return self._wrong(path, "a value", node)
        if kind.tag == "str":
            return node
        if kind.tag == "bool":
            return node == "true" if node in ("true", "false") else self._wrong(path, "true or false", node)
        if len(node) > 20 or not (node.isdecimal() or (node[:1] == "-" and node[1:].isdecimal())):
            return self._wrong(path, "a decimal integer", node)
        return self._integer(int(node), path) if str(int(node)) == node else self._wrong(path, "a plain integer", node)

    def _leaf(self, kind: Kind, node: Any, path: str) -> Any:
        if type(node).__name__ != kind.tag:
            return self._wrong(path, {"str": "a string", "int": "an integer", "bool": "true or false"}[kind.tag], node)
        return self._integer(node, path) if kind.tag == "int" else node

    def _integer(self, value: int, path: str) -> Any:
        if value in I64:
            return value
        self._report("range", path, "the integer does not fit 64 bits", "")
        return BAD

    def _wrong(self, path: str, wanted: str, node: Any) -> Any:
        if isinstance(node, (date, time)):
            self._report("date", path, f"a date or time stands where {wanted} belongs", "write it as a string")
        elif isinstance(node, float) and (node != node or node in (float("inf"), float("-inf"))):
            self._report("number", path, "the number is not finite", "")
        else:
            self._report("type", path, f"{_a(node)} stands where {wanted} belongs", "")
        return BAD


def _all(items: list[Any]) -> Any:
    return BAD if any(v is BAD for v in items) else tuple(items)


def _a(node: Any) -> str:
    names = {dict: "a table", list: "a list", bool: "a boolean", int: "an integer", float: "a float", str: "a string"}
    if isinstance(node, str):
        return f"`{shown(node)}`" if node else "an empty value"
    return names.get(type(node), "null")


def to_data(value: Any, form: Form = PLAIN) -> Any:
    """Write a value as plain data: dicts in order of declaration, lists and scalars."""
    if not is_dataclass(value):
        return [to_data(v, form) for v in value] if isinstance(value, tuple) else value
    cls = type(value)
    out: dict[str, Any] = {}
    for slot in slots_of(cls):
        item = getattr(value, slot.attr)
        if item is None or (item == slot.default and type(item) is type(slot.default)):
            continue
        if item == () and not slot.kind.optional and slot.default in (MISSING, ()):
            continue
        out[slot.key] = _table(item, form) if (cls, slot.attr) in form.named else to_data(item, form)
    if cls in form.inline:
        return out.get(form.inline[cls], {})
    return out


def _table(items: tuple[Any, ...], form: Form) -> dict[str, Any]:
    rows = {}
    for item in items:
        row = to_data(item, form)
        if type(item) not in form.inline:
            del row["name"]
        shrink = form.shrink.get(type(item))
        rows[item.name] = shrink(row) if shrink else row
    return rows


def flatten(data: Any, path: str) -> Iterator[tuple[str, str]]:
    """Plain data as ordered pairs of key and text."""
    if isinstance(data, dict):
        for key, child in data.items():
            yield from flatten(child, f"{path}.{key}")
    elif isinstance(data, list):
        if not data:
            yield path, ""
        for i, child in enumerate(data):
            yield from flatten(child, f"{path}.{i}")
    else:
        yield path, text_of(data)


def text_of(value: object) -> str:
    """A scalar's text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def misfits(value: Any, kind: Kind, path: str) -> Iterator[tuple[str, str, str]]:
    """What of a value made in Python no document could carry: (what, path, message)."""
    if value is None and kind.optional:
        return
    if kind.tag == "tuple":
        yield from _tuple_misfits(value, kind, path)
    elif kind.tag == "object":
        yield from _object_misfits(value, kind, path)
    elif type(value).__name__ != kind.tag:
        yield "type", path, f"{type(value).__name__} stands where {kind.tag} belongs"
    elif kind.tag == "str" and not (value.isascii() and value.isprintable() and value == value.strip()):
        yield "text", path, f"`{shown(value)}` is not printable ASCII without outer white space"
    elif kind.tag == "int" and value not in I64:
        yield "range", path, "the integer does not fit 64 bits"


def _tuple_misfits(value: Any, kind: Kind, path: str) -> Iterator[tuple[str, str, str]]:
    if type(value) is not tuple:
        yield "type", path, f"{type(value).__name__} stands where tuple belongs"
        return
    for i, item in enumerate(value):
        yield from misfits(item, typing.cast(Kind, kind.item), f"{path}.{i}")


def _object_misfits(value: Any, kind: Kind, path: str) -> Iterator[tuple[str, str, str]]:
    cls = typing.cast(type, kind.cls)
    if type(value) is not cls:
        yield "type", path, f"{type(value).__name__} stands where {cls.__name__} belongs"
        return
    for slot in slots_of(cls):
        yield from misfits(getattr(value, slot.attr), slot.kind, join(path, slot.key))
