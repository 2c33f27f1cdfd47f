"""Regions that are not what they say: files bent by hand, each with its code, and headers bent at random.

Rule 1. A bent file is a good one with a few bytes changed, so that whatever is found is found because of these.
Rule 2. What is promised is a finding or a lane, in bounded time: `held_to` looks, opens, and uses what opened.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from byteor import lanes
from byteor.abi.byteor_v1 import EVENTS, JOURNAL_KIND, SEGMENT_KIND, STATE_KIND
from byteor.abi.family import Kind
from byteor.diag import Refused
from byteor.lanes.look import look
from byteor.transport.header import FIELDS

ROW = np.dtype([("n", "<i8"), ("px", "<f8")])
SHAPE_AT = 64
OPTIONS: dict[str, dict[str, Any]] = {
    "events": {"capacity": 4},
    "state": {},
    "journal": {"segments": 2, "segment_bytes": 4096},
    "all": {"kind": "journal", "retain": "all", "segment_bytes": 4096},
}
NUMBERS = (
    0,
    1,
    2,
    3,
    127,
    128,
    130,
    131,
    132,
    133,
    255,
    256,
    4096,
    2**16 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**63,
    2**64 - 1,
)


def good(folder: Path, of: str = "events") -> Path:
    """Make a lane of this sort with a few messages in it, and leave it."""
    options = {"kind": of, **OPTIONS[of]}
    with lanes.create(of, ROW, folder=folder, **options) as lane:
        if of == "events":
            end = lane.sender()
            end.send_many(np.zeros(3, ROW))
        else:
            end = lane.writer()
            for n in range(200 if of == "all" else 3):
                (end.put if of == "state" else end.append)((n, 0.5))
        end.leave()
    return folder / of


Bend = Callable[[bytearray], object]


@dataclass(frozen=True, slots=True)
class Bent:
    """A file bent by hand: what was done to it, to a lane of which sort, and the code that says so."""

    name: str
    code: str
    bend: Bend
    of: str = "events"
    mode: int = 0o600


def put(at: int, value: int, size: int = 8) -> Bend:
    """Write a number of so many bytes."""

    def bend(raw: bytearray) -> None:
        raw[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")

    return bend


def field(name: str, value: int) -> Bend:
    """Write a field of the header."""
    return put(FIELDS[name].offset, value, FIELDS[name].size)


def shaped(kind: Kind, name: str, value: int) -> Bend:
    """Write a parameter of the shape."""
    return put(SHAPE_AT + 8 * [p.name for p in kind.family.params].index(name), value)


def cut(length: int) -> Bend:
    """Shorten the file."""

    def bend(raw: bytearray) -> None:
        del raw[length:]

    return bend


def grown(raw: bytearray) -> None:
    """Lengthen the file."""
    raw += bytes(128)


def changed(old: bytes, new: bytes) -> Bend:
    """Write other bytes where these stand."""

    def bend(raw: bytearray) -> None:
        at = raw.index(old)
        raw[at : at + len(old)] = new

    return bend


def all_of(*bends: Bend) -> Bend:
    """Do several."""

    def bend(raw: bytearray) -> None:
        for one in bends:
            one(raw)

    return bend


BY_HAND: tuple[Bent, ...] = (
    Bent("empty", "T019", cut(0)),
    Bent("one byte", "T019", cut(1)),
    Bent("half a header", "T019", cut(32)),
    Bent("a header and nothing else", "T019", cut(64)),
    Bent("half a shape", "T019", cut(100)),
    Bent("one byte short", "T019", cut(-1)),
    Bent("a line too long", "T020", grown),
    Bent("no magic", "T012", field("magic", 0)),
    Bent("magic of the other byte order", "T012", field("magic", 0x49425553)),
    Bent("an ELF file", "T012", changed(b"IBUS", b"\x7fELF")),
    Bent("version 0", "T013", field("version", 0)),
    Bent("version 2", "T013", field("version", 2)),
    Bent("never made ready", "T021", field("initialized", 0)),
    Bent("its creator died", "T021", field("initialized", 1)),
    Bent("no such state", "T022", field("initialized", 3)),
    Bent("a kind that is none", "T014", field("flags", 200)),
    Bent("another kind of ours", "T014", field("flags", 134)),
    Bent("the original's journal", "T014", field("flags", 2)),
    Bent("a capability of the future", "T016", field("capabilities", 1 << 15)),
    Bent("length 0", "T019", field("layout_bytes", 0)),
    Bent("a length beyond the file", "T019", field("layout_bytes", 2**32 - 1)),
    Bent("a length short of the file", "T020", field("layout_bytes", 128)),
    Bent("another layout hash", "A003", field("layout_hash", 7)),
    Bent("another schema hash", "T018", field("schema_hash", 7)),
    Bent("a capability too many", "A003", field("capabilities", 1 << 2)),
    Bent("no capacity", "A001", shaped(EVENTS, "capacity", 0)),
    Bent("a capacity that is no power of two", "A001", shaped(EVENTS, "capacity", 3)),
    Bent("twice the capacity", "A003", shaped(EVENTS, "capacity", 8)),
    Bent("a negative capacity", "A001", shaped(EVENTS, "capacity", -4)),
    Bent("slots of no bytes", "A001", shaped(EVENTS, "slot_bytes", 0)),
    Bent("slots of 2 GiB", "A002", shaped(EVENTS, "slot_bytes", 2**31)),
    Bent("a thousand rings", "A001", shaped(EVENTS, "rings", 1000)),
    Bent("65 readers", "A001", shaped(EVENTS, "gates", 65)),
    Bent("lengths that are not there", "A003", shaped(EVENTS, "lengths", 1)),
    Bent("a text of 70,000 bytes", "A001", shaped(EVENTS, "schema_bytes", 70_000)),
    Bent("a text of another type", "T043", changed(b"8 px <f8", b"8 px <i8")),
    Bent("a text that is none", "T043", changed(b"message bytes 16", b"message BYTES 16")),
    Bent("anybody may read it", "T011", cut(1 << 30), mode=0o644),
    Bent("a state of 2 slots", "A001", shaped(STATE_KIND, "capacity", 2), "state"),
    Bent("a state of a million slots", "A001", shaped(STATE_KIND, "capacity", 2**20), "state"),
    Bent("a state cut short", "T019", cut(700), "state"),
    Bent("a journal without segments", "A003", shaped(JOURNAL_KIND, "segments", 0), "journal"),
    Bent("segments of 100 bytes", "A001", shaped(JOURNAL_KIND, "segment_bytes", 100), "journal"),
    Bent("segments of twice the length", "A003", shaped(JOURNAL_KIND, "segment_bytes", 8192), "journal"),
    Bent("a journal that says it keeps all", "T031", field("capabilities", 1 << 5), "journal"),
    Bent("a journal of files that says it does not", "T031", field("capabilities", 0), "all"),
)
SEGMENT = SEGMENT_KIND.layout(segment_bytes=4096)
SEGMENTS_BY_HAND: tuple[Bent, ...] = (
    Bent("of another number", "T041", put(SEGMENT["segment_number"], 7), "all"),
    Bent("of another journal", "T041", put(SEGMENT["segment_log"], 7), "all"),
    Bent("cut short", "T019", cut(1000), "all"),
    Bent("a record without a head", "T042", put(SEGMENT["records"], 0), "all"),
    Bent("a record that is not committed", "T042", put(SEGMENT["records"], 16), "all"),
    Bent("a record longer than its segment", "T042", put(SEGMENT["records"], 1 << 32 | 5000), "all"),
    Bent("a record of another type's length", "T042", put(SEGMENT["records"], 1 << 32 | 24), "all"),
    Bent("a record of another number", "T042", put(SEGMENT["records"] + 8, 9), "all"),
    Bent("padding that is none", "T042", put(SEGMENT["records"], 3 << 32 | 100), "all"),
    Bent("of another schema", "T018", field("schema_hash", 7), "all"),
)


def codes(work: Callable[[], object]) -> set[str]:
    """The codes with which work is refused; none when it is not."""
    try:
        work()
    except Refused as refused:
        return {found.code for found in refused.diagnostics}
    return set()


def used(folder: Path, name: str) -> None:
    """Open a lane, and use it for a moment, as far as it lets itself be used."""
    with lanes.open(name, folder=folder, wait=0) as lane:
        if isinstance(lane, lanes.Lane):
            reader = lane.reader()
            reader.try_receive_many()
            lane.sender().try_send_many(np.zeros(2, lane.dtype))
            return
        try:
            if hasattr(lane, "verify"):
                lane.verify()
                lane.replay().try_receive()
                lane.writer().append(np.zeros(1, ROW)[0])
            else:
                lane.reader().get()
                lane.writer().put(np.zeros(1, ROW)[0])
        except lanes.Contended:
            return


def write(path: Path, raw: bytes, mode: int = 0o600) -> None:
    """Put a file where it is looked for."""
    path.write_bytes(raw)
    os.chmod(path, mode)


# Headers at random


def bent_headers(folder: Path, seed: int) -> Iterator[bytes]:
    """Good lanes of each sort with a few numbers of header and shape changed."""
    dice = random.Random(seed)
    raws = [good(folder, of).read_bytes() for of in OPTIONS]
    words = [(at.offset, at.size) for at in FIELDS.values()] + [(at, 8) for at in range(SHAPE_AT, 128, 8)]
    while True:
        raw = bytearray(dice.choice(raws))
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            at, size = dice.choice(words)
            if dice.random() < 0.5:
                put(at, dice.choice(NUMBERS), size)(raw)
            else:
                raw[at + dice.randrange(size)] ^= 1 << dice.randrange(8)
        if dice.random() < 0.1:
            del raw[dice.choice((0, 1, 63, 64, 100, 127, 128, 300, len(raw) - 1)) :]
        yield bytes(raw)


def held_to(folder: Path, raw: bytes) -> set[str]:
    """Look at a file and use it; answer the codes, or that it opened. What breaks a promise is raised as it is."""
    path = folder / "bent"
    write(path, raw)
    found = {one.code for one in look(path).findings} | codes(lambda: used(folder, "bent"))
    for left in folder.glob("bent*"):
        left.unlink()
    return found or {"opened"}
