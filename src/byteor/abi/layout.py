"""How a layout is stated: named cells, one after the other, whose offsets accumulate here.

Rule 1. An offset is computed in this file and written down nowhere else.
Rule 2. A line belongs to one writer: a cell aligned to LINE starts a new one.
Rule 3. Append-only: a cell never changes its size, order or meaning; new ones go to the end.
Rule 4. What surrounds a cell is explicit: types are laid out as C does, and the end is padded to the alignment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from byteor.abi.symbol import up

LINE = 128  # two 64-byte cache lines: the prefetcher of x86 fetches them in pairs
SECTION = 64  # what starts a section of a region
WORD = 8
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Scalar:
    """A C type; `block` is the length of an array of bytes that is one value, else 0."""

    name: str
    c: str
    bytes: int
    align: int
    numpy: str
    block: int = 0


U8 = Scalar("u8", "uint8_t", 1, 1, "u1")
U16 = Scalar("u16", "uint16_t", 2, 2, "u2")
U32 = Scalar("u32", "uint32_t", 4, 4, "u4")
U64 = Scalar("u64", "uint64_t", 8, 8, "u8")
I64 = Scalar("i64", "int64_t", 8, 8, "i8")
ATOMIC_U32 = Scalar("atomic u32", "IndexbusAtomicU32", 4, 4, "u4")
ATOMIC_U64 = Scalar("atomic u64", "IndexbusAtomicU64", 8, 8, "u8")
ATOMIC_I64 = Scalar("atomic i64", "ByteorAtomicI64", 8, 8, "i8")


def block(length: int) -> Scalar:
    """Take `length` bytes as one value."""
    return Scalar(f"u8[{length}]", "uint8_t", length, 1, "u1", length)


@dataclass(frozen=True, slots=True)
class Cell:
    """One member as it is stated: one value, or an array of `count` of them."""

    name: str
    type: Scalar | Layout
    doc: str
    writer: str = ""
    count: int = 1
    is_array: bool = False
    align: int = 1
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """One named place: `count` times `size` bytes, each `stride` after the one before, from `offset`."""

    name: str
    offset: int
    size: int
    count: int
    stride: int
    doc: str
    writer: str

    def at(self, index: int = 0) -> int:
        """Offset of element `index`."""
        return self.offset + index * self.stride


@dataclass(frozen=True, slots=True)
class Layout:
    """A table of cells; `cells` finds each place by its name, also those inside of structs.

    A member of a struct is called `struct_member`; a member called `value` has the name of its struct.
    """

    name: str
    doc: str
    bytes: int
    align: int
    members: tuple[Cell, ...]
    cells: Mapping[str, Place] = field(compare=False, repr=False)

    def __getitem__(self, name: str) -> int:
        return self.cells[name].offset


def cell(name: str, type: Scalar | Layout, doc: str, writer: str = "", align: int = 1) -> Cell:
    """State one value."""
    return Cell(name, type, doc, writer, align=align)


def array(name: str, type: Scalar | Layout, count: int, doc: str, writer: str = "", align: int = 1) -> Cell:
    """State `count` values side by side; there may be none."""
    return Cell(name, type, doc, writer, count, True, align)


def layout(name: str, doc: str, *stated: Cell, align: int = 1) -> Layout:
    """Put cells one after the other."""
    at, widest = 0, align
    members = []
    for one in stated:
        step = max(one.align, one.type.align)
        at, widest = up(at, step), max(widest, step)
        members.append(replace(one, offset=at))
        at = at + one.type.bytes * one.count
    return Layout(name, doc, up(at, widest), widest, tuple(members), {p.name: p for p in _places(members)})


def _places(members: list[Cell]) -> Iterator[Place]:
    for one in members:
        size = one.type.bytes
        whole = Place(one.name, one.offset, size, one.count, size, one.doc, one.writer)
        if isinstance(one.type, Layout):
            yield from (_inside(whole, one.is_array, part) for part in one.type.cells.values())
        if not isinstance(one.type, Layout) or "value" not in one.type.cells:
            yield whole


def _inside(outer: Place, is_array: bool, part: Place) -> Place:
    """The place of a struct's part; in an array of structs, the elements are the structs'."""
    name = outer.name if part.name == "value" else f"{outer.name}_{part.name}"
    doc = outer.doc if part.name == "value" else part.doc
    writer = part.writer or outer.writer
    if is_array:
        return Place(name, outer.offset + part.offset, part.size, outer.count, outer.stride, doc, writer)
    return Place(name, outer.offset + part.offset, part.size, part.count, part.stride, doc, writer)


def leaves(table: Layout, path: str = "", at: int = 0) -> Iterator[tuple[str, Cell, int]]:
    """Every member down to the scalars: its path, the cell, the offset; of an array the first element."""
    for one in table.members:
        if isinstance(one.type, Layout):
            yield from leaves(one.type, f"{path}{one.name}{_dimension(one)}.", at + one.offset)
        else:
            yield f"{path}{one.name}{_dimension(one)}", one, at + one.offset


def _dimension(one: Cell) -> str:
    return f"[{one.count}*{one.type.bytes}]" if one.is_array else ""


def canonical(table: Layout) -> str:
    """The text that the layout hash is of: names, types, offsets and sizes, and no prose."""
    rows = [f"{offset} {path} {one.type.name}" for path, one, offset in leaves(table)]
    return "\n".join([f"layout {table.name} bytes {table.bytes} align {table.align}", *rows, ""])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()[:HASH_BYTES]


def layout_hash(text: str) -> bytes:
    """The 16 bytes that stand for a layout, given its canonical text."""
    return _digest(text)


def schema_hash(text: str) -> bytes:
    """The 16 bytes that stand for a message type, given the model's canonical text of it."""
    return _digest(text)
