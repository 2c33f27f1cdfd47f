"""Lanes by name: made by one side, opened by all others, removed when nobody lives who has a part of them.

Rule 1. What kind a lane is stands in its region; who opens it need not know, and is refused who knows it wrongly.
Rule 2. A module of a kind has `create(path or None, dtype, **options)` and `attach(path, dtype, wait=)`.
"""

from __future__ import annotations

import os
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal, overload

from byteor.abi.shapes import BY_NUMBER
from byteor.diag import Refused
from byteor.lanes import findings as t
from byteor.lanes import names, shelf
from byteor.transport import regions

if TYPE_CHECKING:
    from byteor.lanes import events, journal, state

KINDS = {
    "events": "byteor.lanes.events",
    "fanout": "byteor.lanes.fanout",
    "state": "byteor.lanes.state",
    "journal": "byteor.lanes.journal",
}
Folder = str | os.PathLike[str]
Backing = Literal["shm", "mem"]


@overload
def create(
    name: str = "",
    dtype: Any = None,
    *,
    kind: Literal["events", "fanout"] = "events",
    backing: Backing = "shm",
    folder: Folder | None = None,
    capacity: int = 1024,
    readers: int = ...,
    producers: int = 1,
    slot_bytes: int | None = None,
    may_block: bool = False,
    enveloped: bool = False,
    prefault: bool = False,
    mlock: bool = False,
) -> events.Lane: ...


@overload
def create(
    name: str = "",
    dtype: Any = None,
    *,
    kind: Literal["state"],
    backing: Backing = "shm",
    folder: Folder | None = None,
    capacity: int = 4,
    slot_bytes: int | None = None,
    may_block: bool = False,
    prefault: bool = False,
    mlock: bool = False,
) -> state.Lane: ...


@overload
def create(
    name: str = "",
    dtype: Any = None,
    *,
    kind: Literal["journal"],
    backing: Backing = "shm",
    folder: Folder | None = None,
    retain: Literal["overwrite", "all"] = "overwrite",
    segments: int = 4,
    segment_bytes: int | None = None,
    readers: int = 1,
    fsync: Literal["none", "segment", "commit"] = "none",
    may_block: bool = False,
    prefault: bool = False,
    mlock: bool = False,
) -> journal.Lane: ...


@overload
def create(
    name: str = "",
    dtype: Any = None,
    *,
    kind: str,
    backing: str = "shm",
    folder: Folder | None = None,
    **options: Any,
) -> Any: ...


def create(
    name: str = "",
    dtype: Any = None,
    *,
    kind: str = "events",
    backing: str = "shm",
    folder: Folder | None = None,
    **options: Any,
) -> Any:
    """Make a lane of a kind: events, fanout, state or journal; with `backing="mem"` in this process alone.

    Messages are of the numpy type `dtype`, or, with no type, bytes: up to `slot_bytes=`, or of any length in a journal.
    All take `may_block=False` (whether ends may sleep on doorbells), `prefault=` and `mlock=`.
    Events and fanout take `capacity=1024` (slots, a power of two), `readers=` and `enveloped=`; events `producers=1`.
    State takes `capacity=4`; journal `retain="overwrite"` or `"all"`, `segments=4`, `segment_bytes=`, `readers=1`, and
    `fsync="none"`, `"segment"` or `"commit"`.
    """
    if kind not in KINDS or backing not in ("shm", "mem"):
        said = f"`kind` is {kind!r} and `backing` is {backing!r}"
        raise Refused([t.BAD_OPTION.at(name, said, help=f"kinds: {', '.join(KINDS)}; backings: shm, mem")])
    made = import_module(KINDS[kind]).create
    if unknown := sorted(set(options) - set(signature(made).parameters)):
        raise Refused([t.BAD_OPTION.at(name, f"`{one}` is no option of a lane of kind {kind}") for one in unknown])
    return made(names.place(name, folder) if backing == "shm" else None, dtype, **options)


@overload
def open(
    name: str,
    dtype: Any = None,
    *,
    kind: Literal["events", "fanout"],
    folder: Folder | None = None,
    wait: float = 1.0,
) -> events.Lane: ...


@overload
def open(
    name: str, dtype: Any = None, *, kind: Literal["state"], folder: Folder | None = None, wait: float = 1.0
) -> state.Lane: ...


@overload
def open(
    name: str, dtype: Any = None, *, kind: Literal["journal"], folder: Folder | None = None, wait: float = 1.0
) -> journal.Lane: ...


@overload
def open(
    name: str, dtype: Any = None, *, kind: None = None, folder: Folder | None = None, wait: float = 1.0
) -> Any: ...


def open(
    name: str, dtype: Any = None, *, kind: str | None = None, folder: Folder | None = None, wait: float = 1.0
) -> Any:
    """Open a lane that was made; `dtype` must be its type, and `kind` its kind, where they are given.

    Without a type, messages have the type that the region says. It waits so many seconds for a creator to finish.
    """
    path = names.given(name, folder)
    if kind is None:
        seen = regions.inspect(path)
        about = BY_NUMBER.get(seen.header.kind) if seen.header is not None else None
        # What is no lane is told by an attempt to open it as one: every other fault has its own code.
        kind = about.name if about is not None else "events"
    return import_module(KINDS.get(kind, KINDS["events"])).attach(path, dtype, wait=wait)


def remove(name: str, *, folder: Folder | None = None) -> None:
    """Take a lane's file away, and those of its segments; refused while anybody lives who has a part of it."""
    path = names.given(name, folder)
    regions.remove(path, first=lambda: shelf.clear(str(path)))
