"""What differs between two specs, in the model's terms: stages, lanes, types, fields, settings.

Rule 1. What has a name is found by its name: a part that moved is not another part.
Rule 2. Positions that stand for names are compared and shown as names.
Rule 3. Equal specs have no changes, and different ones have some; the same two specs, the same changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from byteor.spec.codec import join, slots_of, text_of
from byteor.spec.kv import KIND, Spec
from byteor.spec.lane_graph import Lane, LaneEgress, LaneIngress, StageRole
from byteor.spec.model import Stage

ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"
EMPTY = '""'
Name = tuple[str, int]  # a name, and how often it stood before
SIGNS = {ADDED: "+", REMOVED: "-", CHANGED: "~", MOVED: ">"}
WORDS = {"ingresses": "ingress", "egresses": "egress", "merges": "merge", "bridges": "bridge"}
POSITIONS: dict[type, tuple[str, ...]] = {Stage: ("depends_on",), Lane: ("order.numbering",)}
INNER = {StageRole: "stage", LaneIngress: "ingress", LaneEgress: "egress"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `path` is a key of the second spec, for what was removed of the first."""

    what: str
    subject: str
    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the comparison stands: the keys in both specs, and the words for them."""

    old: str
    new: str
    subject: str = ""

    def at(self, key: str, shown: str | None = None) -> _Place:
        said = f"{self.subject} {shown if shown is not None else key}".strip()
        return _Place(join(self.old, key), join(self.new, key), said)


def diff(old: Spec, new: Spec) -> tuple[Change, ...]:
    """Compare two specs."""
    kinds = KIND[type(old)], KIND[type(new)]
    if kinds[0] != kinds[1]:
        return (Change(CHANGED, "kind", "kind", *kinds),)
    return tuple(_object(_Place(kinds[0], kinds[1]), old, new))


def _object(place: _Place, old: Any, new: Any) -> Iterator[Change]:
    """Compare two values of one dataclass."""
    for slot in slots_of(type(new)):
        one, two = getattr(old, slot.attr), getattr(new, slot.attr)
        if type(new) in INNER and slot.attr == INNER[type(new)]:
            inner = place.at(slot.key, "")
            yield from _object(_Place(inner.old, inner.new, place.subject), one, two)
        elif slot.attr != "name" or place.subject == "":
            yield from _value(place.at(slot.key), one, two)


def _value(place: _Place, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if _named(old) and _named(new) and (old or new):
        yield from _parts(place, old, new)
    elif is_dataclass(old) and type(old) is type(new):
        yield from _object(place, old, new)
    else:
        what = ADDED if old is None else REMOVED if new is None else CHANGED
        yield Change(what, place.subject, place.old if new is None else place.new, _shown(old), _shown(new))


def _named(value: Any) -> bool:
    return isinstance(value, tuple) and all(is_dataclass(item) for item in value)


def name_of(part: Any) -> str:
    """The name of a part of a spec: its own, or that of what it wraps."""
    inner = INNER.get(type(part))
    return str(getattr(part, inner).name if inner else part.name)


def _keyed(parts: Sequence[Any]) -> dict[Name, int]:
    """The position of each part by its name, and by how often the name stood before."""
    seen: dict[str, int] = {}
    out = {}
    for i, part in enumerate(parts):
        name = name_of(part)
        out[name, seen.get(name, 0)] = i
        seen[name] = seen.get(name, 0) + 1
    return out


def _parts(place: _Place, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    """Compare two lists of named parts: what went, what came, what changed, and their order."""
    was, now = _keyed(old), _keyed(new)
    names = list(was), list(now)
    list_key = place.new.rpartition(".")[2]
    word = WORDS.get(list_key, list_key.removesuffix("s"))
    above = place.subject.removesuffix(list_key)
    for key, i in was.items():
        if key not in now:
            yield Change(REMOVED, f"{above}{word} `{key[0]}`", f"{place.old}.{i}", _summary(old[i]), None)
    for key, i in now.items():
        subject = f"{above}{word} `{key[0]}`"
        if key not in was:
            yield Change(ADDED, subject, f"{place.new}.{i}", None, _summary(new[i]))
        else:
            there = _Place(f"{place.old}.{was[key]}", f"{place.new}.{i}", subject)
            yield from _part(there, old[was[key]], new[i], *names)
    kept = [key for key in was if key in now], [key for key in now if key in was]
    if kept[0] != kept[1]:
        texts = [", ".join(map(_label, keys)) for keys in kept]
        yield Change(MOVED, f"{place.subject} order".strip(), place.new, *texts)


def _part(place: _Place, old: Any, new: Any, was: Sequence[Name], now: Sequence[Name]) -> Iterator[Change]:
    """Compare two parts of one name; positions among their own kind are compared by the names that they stand for."""
    for key in POSITIONS.get(type(new), ()):
        before = _names(old, key, was), _names(new, key, now)
        if before[0] != before[1] and None not in before:
            there = place.at(key)
            yield Change(CHANGED, there.subject, there.new, *map(_shown, before))
    yield from _object(place, old, _positioned(old, new))


def _names(part: Any, key: str, names: Sequence[Name]) -> tuple[str, ...] | None:
    """The names that a part's positions stand for; None where it has no such list."""
    found = _at(part, key)
    if found is None:
        return None
    return tuple(_label(names[j]) if 0 <= j < len(names) else str(j) for j in found)


def _at(part: Any, key: str) -> tuple[int, ...] | None:
    for attr in key.split("."):
        part = getattr(part, attr, None)
    return (part,) if isinstance(part, int) else part


def _positioned(old: Any, new: Any) -> Any:
    """The new part with the positions of the old one: they have been compared."""
    if isinstance(new, Stage) and isinstance(old, Stage):
        return replace(new, depends_on=old.depends_on)
    if isinstance(new, Lane) and isinstance(old, Lane) and new.order and old.order:
        return replace(new, order=replace(new.order, numbering=old.order.numbering))
    return new


def _label(name: Name) -> str:
    return f"{name[0]} #{name[1] + 1}" if name[1] else name[0]


def _shown(value: Any) -> str | None:
    """A value as one line of text."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(_shown(item) or "" for item in value) or "none"
    return _summary(value) if is_dataclass(value) else text_of(value)


def _summary(part: Any) -> str:
    """A part in one line: what it has beside its name, without what is absent or none."""
    slots = [slot for slot in slots_of(type(part)) if slot.attr not in ("name", "depends_on", "numbering")]
    pairs = [(slot.key, getattr(part, slot.attr)) for slot in slots]
    return " ".join(f"{key}={_shown(value)}" for key, value in pairs if value not in (None, ()))


def as_text(changes: Sequence[Change]) -> str:
    """The changes for people, a line each."""
    return "".join(f"{SIGNS[c.what]} {c.subject}{_values(c)}  ({c.path})\n" for c in changes)


def _values(change: Change) -> str:
    if change.old is None or change.new is None:
        return f": {change.new if change.old is None else change.old}"
    return f": {change.old or EMPTY} -> {change.new or EMPTY}"


def as_data(changes: Sequence[Change]) -> list[Mapping[str, str | None]]:
    """The changes for programs, the same fields."""
    return [{slot.key: getattr(c, slot.attr) for slot in slots_of(Change)} for c in changes]
