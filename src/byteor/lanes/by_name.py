"""Lanes by name: made by one side, opened by all others, removed when nobody lives who has a part of them.

Rule 1. What kind a lane is stands in its region; who opens it need not know.
Rule 2. A module of a kind has `create(path or None, dtype, **options)` and `attach(path, dtype, wait=)`.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from byteor.abi.shapes import BY_NUMBER
from byteor.diag import Refused
from byteor.lanes import findings as t
from byteor.lanes import names, shelf
from byteor.transport import regions

KINDS = {
    "events": "byteor.lanes.events",
    "fanout": "byteor.lanes.fanout",
    "state": "byteor.lanes.state",
    "journal": "byteor.lanes.journal",
}
Folder = str | os.PathLike[str]


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

    Messages are of the numpy type `dtype`, or, with `slot_bytes=` and no type, bytes up to that length.
    Events and fanout take `capacity=1024` (slots, a power of two), `readers=`, `may_block=False` (whether ends may
    sleep on doorbells), `prefault=` and `mlock=`; events also `producers=1`.
    State takes `capacity=4`, journal `segments=4`, `segment_bytes=65536`, `readers=1`; both `prefault=` and `mlock=`.
    """
    if kind not in KINDS or backing not in ("shm", "mem"):
        said = f"`kind` is {kind!r} and `backing` is {backing!r}"
        raise Refused([t.BAD_OPTION.at(name, said, help=f"kinds: {', '.join(KINDS)}; backings: shm, mem")])
    path = names.place(name, folder) if backing == "shm" else None
    return import_module(KINDS[kind]).create(path, dtype, **options)


def open(name: str, dtype: Any = None, *, folder: Folder | None = None, wait: float = 1.0) -> Any:
    """Open a lane that was made, whatever its kind; `dtype` must be its type. Waits so long for its creator's end.

    Without a type, messages are bytes as they lie in their slots.
    """
    path = names.given(name, folder)
    seen = regions.inspect(path)
    kind = BY_NUMBER.get(seen.header.kind) if seen.header is not None else None
    # What is no lane is told by an attempt to open it as one: every other fault has its own code.
    found = kind.name if kind is not None and kind.name in KINDS else "events"
    return import_module(KINDS[found]).attach(path, dtype, wait=wait)


def remove(name: str, *, folder: Folder | None = None) -> None:
    """Take a lane's file away, and those of its segments; refused while anybody lives who has a part of it."""
    path = names.given(name, folder)
    regions.remove(path, first=lambda: shelf.clear(str(path)))
