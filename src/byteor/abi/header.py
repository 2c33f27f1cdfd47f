"""The tables as C headers, for C11 and C++17 alike.

Rule 1. Layouts only: types, constants, offsets. Algorithms belong to whoever includes them.
Rule 2. Every size, alignment and offset is asserted, so a compiler that lays out otherwise refuses the header.
Rule 3. A word that is shared is a struct around an integer: it is loaded and stored on purpose, never by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from byteor.abi import byteor_v1, indexbus_v1
from byteor.abi.family import Family, Kind
from byteor.abi.layout import SECTION, Cell, Layout, Scalar
from byteor.abi.symbol import c_text

_LICENSE = "/* SPDX-License-Identifier: Apache-2.0 OR MIT */"
_NOTE = "/* Written from the tables in byteor.abi by `python -m dev gen`. Host-endian; append-only. */"

_PREAMBLE = """\
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define INDEXBUS_ASSERT(condition, text) static_assert(condition, text)
#define INDEXBUS_ALIGNAS(n) alignas(n)
#define INDEXBUS_ALIGNOF(type) alignof(type)
#else
#define INDEXBUS_ASSERT(condition, text) _Static_assert(condition, text)
#define INDEXBUS_ALIGNAS(n) _Alignas(n)
#define INDEXBUS_ALIGNOF(type) _Alignof(type)
#endif

/* Shared words: reach `value` through atomic operations alone. */
typedef struct IndexbusAtomicU32 { INDEXBUS_ALIGNAS(4) uint32_t value; } IndexbusAtomicU32;
typedef struct IndexbusAtomicU64 { INDEXBUS_ALIGNAS(8) uint64_t value; } IndexbusAtomicU64;

/* Round up to a multiple of `step`. */
static inline uint64_t indexbus_up(uint64_t size, uint64_t step) { return (size + step - 1) / step * step; }
"""
_OURS = """\
#include "indexbus_v1.h"

/* Shared words of ours are signed; what is stored and loaded has the same bits as uint64_t. */
typedef struct ByteorAtomicI64 { INDEXBUS_ALIGNAS(8) int64_t value; } ByteorAtomicI64;
"""


def indexbus_v1_h() -> str:
    """The header of IndexBus ABI v1."""
    constants = [
        ("INDEXBUS_MAGIC", f"UINT32_C(0x{indexbus_v1.MAGIC:08x})", '"IBUS"'),
        ("INDEXBUS_VERSION", str(indexbus_v1.VERSION), ""),
        ("INDEXBUS_KIND_MASK", f"0x{indexbus_v1.KIND_MASK:04x}", "of `flags`"),
        ("INDEXBUS_UNINITIALIZED", str(indexbus_v1.UNINITIALIZED), "values of `initialized`"),
        ("INDEXBUS_INITIALIZING", str(indexbus_v1.INITIALIZING), ""),
        ("INDEXBUS_READY", str(indexbus_v1.READY), "the only one that a reader accepts"),
        ("INDEXBUS_CAPABILITY_SEQUENCED_SLOTS", f"UINT32_C(0x{indexbus_v1.CAPABILITY_SEQUENCED_SLOTS:08x})", ""),
        ("INDEXBUS_QUEUE_CAPACITY", str(indexbus_v1.QUEUE_CAPACITY), ""),
        ("INDEXBUS_RECORD_COMMITTED", str(indexbus_v1.RECORD_COMMITTED), "flag of a journal's record"),
        ("INDEXBUS_ENVELOPE_MAGIC", f"UINT32_C(0x{indexbus_v1.ENVELOPE_MAGIC:08x})", '"USM1"'),
        *_kind_constants("INDEXBUS", indexbus_v1.KINDS),
    ]
    purpose = "IndexBus ABI v1: the header of every region; all other layouts are for interchange only."
    tops = [indexbus_v1.LAYOUT_HEADER, *_tops(indexbus_v1.KINDS), *indexbus_v1.STRUCTS]
    families = indexbus_v1.FAMILIES
    return _file("INDEXBUS_V1_H", purpose, _PREAMBLE, constants, structs(tops, families), families)


def byteor_v1_h() -> str:
    """The header of our own layouts; it includes the other."""
    bits = byteor_v1.CAPABILITIES.items()
    constants = [
        ("BYTEOR_OPEN", "INT64_C(-1)", "`closed` while the producer may still publish"),
        ("BYTEOR_LAST", "INT64_MAX", "a gate whose reader has left for good"),
        ("BYTEOR_END_ORDER", "(INT64_MAX - 1)", "order word of what `end` sent"),
        ("BYTEOR_SHAPE_AT", str(SECTION), "where the shape stands in every region"),
        ("BYTEOR_CAPABILITIES_REQUIRED", f"UINT32_C(0x{byteor_v1.REQUIRED:08x})", "who does not know one refuses"),
        *[(f"BYTEOR_CAPABILITY_{name.upper()}", f"(UINT32_C(1) << {bit})", doc) for name, (bit, doc) in bits],
        ("BYTEOR_RECORD_COMMITTED", str(byteor_v1.RECORD_COMMITTED), "flags of a journal's record"),
        ("BYTEOR_RECORD_PADDING", str(byteor_v1.RECORD_PADDING), ""),
        *_kind_constants("BYTEOR", byteor_v1.KINDS),
    ]
    purpose = "ByteOr ABI v1: lanes, roles and plants."
    known = structs([indexbus_v1.LAYOUT_HEADER], ())
    tops = [*_tops(byteor_v1.KINDS), *byteor_v1.STRUCTS]
    own = [one for one in structs(tops, byteor_v1.FAMILIES) if one not in known]
    return _file("BYTEOR_V1_H", purpose, _OURS, constants, own, byteor_v1.FAMILIES)


def structs(tops: Iterable[Layout], families: Iterable[Family]) -> list[Layout]:
    """Every struct that these need, each after those that it is made of."""
    found: dict[str, Layout] = {}
    for top in [*(family.shape for family in families), *tops]:
        for one in _parts(top):
            assert found.setdefault(one.name, one) == one, f"two layouts are called {one.name}"
    return list(found.values())


def _tops(kinds: Iterable[Kind]) -> list[Layout]:
    return [table for kind in kinds for _, table in kind.instances()]


def _parts(table: Layout) -> Iterator[Layout]:
    for one in table.members:
        if isinstance(one.type, Layout) and one.count:
            yield from _parts(one.type)
    yield table


def _kind_constants(prefix: str, kinds: Iterable[Kind]) -> list[tuple[str, str, str]]:
    names = [(kind, kind.name.removeprefix(f"{prefix.lower()}_").upper()) for kind in kinds]
    return [(f"{prefix}_KIND_{name}", str(kind.number), kind.doc) for kind, name in names]


def _file(
    guard: str,
    purpose: str,
    preamble: str,
    constants: list[tuple[str, str, str]],
    types: list[Layout],
    families: Iterable[Family],
) -> str:
    blocks = [
        f"{_LICENSE}\n/* {purpose} */\n{_NOTE}",
        f"#ifndef {guard}\n#define {guard}\n\n{preamble.rstrip()}",
        "\n".join(_define(*one) for one in constants),
        *[_struct(one) for one in types],
        *[_functions(family) for family in families],
        f"#endif /* {guard} */",
    ]
    return "\n\n".join(blocks) + "\n"


def _define(name: str, value: str, doc: str) -> str:
    return f"#define {name} {value}" + (f" /* {doc} */" if doc else "")


def _struct(table: Layout) -> str:
    lines = [f"/* {table.doc} */", f"typedef struct {table.name} {{", *_members(table), f"}} {table.name};"]
    lines.append(f'INDEXBUS_ASSERT(sizeof({table.name}) == {table.bytes}, "size of {table.name}");')
    lines.append(f'INDEXBUS_ASSERT(INDEXBUS_ALIGNOF({table.name}) == {table.align}, "alignment of {table.name}");')
    for one in _emitted(table):
        where = f"offsetof({table.name}, {one.name})"
        lines.append(f'INDEXBUS_ASSERT({where} == {one.offset}, "offset of {table.name}.{one.name}");')
    return "\n".join(lines)


def _emitted(table: Layout) -> list[Cell]:
    """The members that C can have: arrays of none are left out."""
    return [one for one in table.members if one.count and one.type.bytes]


def _members(table: Layout) -> Iterator[str]:
    at, pads = 0, 0
    natural = max(one.type.align for one in _emitted(table))
    wide = f"INDEXBUS_ALIGNAS({table.align}) " if table.align > natural else ""
    for one in _emitted(table):
        if one.offset > at:
            yield _pad(pads, one.offset - at)
            pads += 1
        yield f"    {wide}{declaration(one)}; /* {_said(one)} */"
        at, wide = one.offset + one.count * one.type.bytes, ""
    if table.bytes > at:
        yield _pad(pads, table.bytes - at)


def _pad(number: int, length: int) -> str:
    return f"    uint8_t unused{number}[{length}];"


def _said(one: Cell) -> str:
    return f"{one.doc}; written by: {one.writer}" if one.writer else one.doc


def declaration(one: Cell) -> str:
    """A member as C declares it."""
    dimensions = f"[{one.count}]" if one.is_array else ""
    if isinstance(one.type, Scalar):
        dimensions += f"[{one.type.block}]" if one.type.block else ""
        return f"{one.type.c} {one.name}{dimensions}"
    return f"{one.type.name} {one.name}{dimensions}"


def _functions(family: Family) -> str:
    """Where each member of a family is, for any parameters."""
    prefix, table = f"{family.prefix.lower()}_{family.name}", family.symbolic()
    title = f"/* Offsets in any `{family.name}`: {family.doc}. Copy the shape once, check the copy, and use that. */"
    given = f"{family.shape.name} shape"
    rows = [_offset(prefix, given, one) for one in table.members if one.name not in ("header", "shape")]
    return "\n".join([title, *rows, _function(f"{prefix}_bytes({given})", c_text(table.bytes))])


def _offset(prefix: str, given: str, one: Cell) -> str:
    if not one.is_array:
        return _function(f"{prefix}_{one.name}_at({given})", c_text(one.offset))
    size = c_text(one.type.bytes)
    step = size if " + " not in size else f"({size})"
    return _function(f"{prefix}_{one.name}_at({given}, uint64_t i)", f"{c_text(one.offset)} + i * {step}")


def _function(head: str, value: str) -> str:
    unused = "" if "shape." in value else "    (void)shape;\n"
    return f"static inline uint64_t {head} {{\n{unused}    return {value};\n}}"
