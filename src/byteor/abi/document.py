"""The tables as documents: JSON for programs, a page for people, vectors that hold them still.

Rule 1. All of it comes from the tables; the page's prose says only what a table cannot.
Rule 2. Vectors hold names, types, offsets and sizes; once they are frozen, tables may only be added to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from byteor.abi import byteor_v1, indexbus_v1
from byteor.abi.drawing import drawing
from byteor.abi.family import MAX_BYTES, Family, Kind
from byteor.abi.header import declaration, structs
from byteor.abi.layout import Cell, Layout, canonical, layout_hash
from byteor.abi.symbol import c_text

DRAFT = "# status: draft, not frozen yet"  # what a new vector says, until its first line is changed to frozen
_PROSE = {
    "events": "Each producer has a ring of its own; a reader takes the rings in turn. A producer attaches by winning a "
    "free cell: it locks the byte at its `cursor`, and continues that ring.",
    "slots": "The gates form the stages' graph. Every filtering stage has a row of dead cells of its own.",
    "fanout": "All readers see the same slots; the slowest holds the producer back.",
    "state": "The writer raises `intent`, writes the slot, raises `cursor`. A reader loads `cursor`, copies, and looks "
    "at `intent` again: was its slot being written over, it tries once more.",
    "journal": "A record is written behind `cursor`, its flags last; then `cursor` is raised. What lies behind it "
    "was not committed and is written over by a successor. When the log overwrites, `intent` is raised first.",
    "segment": "A log that keeps everything has its segments in files of their own, numbered from 0.",
    "plant": "What runners look at to wake each other and to stop.",
    "role": "A commit writes the older of the two buffers, its `epoch` last.",
}


def layout_json() -> str:
    """Every table, for programs that generate what they need."""
    document: dict[str, object] = {
        "abi": {"magic": indexbus_v1.MAGIC, "version": indexbus_v1.VERSION, "max_bytes": MAX_BYTES},
        "capabilities": {
            name: {"bit": bit, "required": bool(byteor_v1.REQUIRED >> bit & 1), "doc": doc}
            for name, (bit, doc) in byteor_v1.CAPABILITIES.items()
        },
        "kinds": [_kind(kind) for kind in (*indexbus_v1.KINDS, *byteor_v1.KINDS)],
        "families": [_family(family) for family in (*indexbus_v1.FAMILIES, *byteor_v1.FAMILIES)],
        "structs": [_struct(table) for table in all_structs()],
    }
    return json.dumps(document, indent=1) + "\n"


def all_structs() -> list[Layout]:
    """Every struct of both headers."""
    tops = [indexbus_v1.LAYOUT_HEADER, *indexbus_v1.STRUCTS, *byteor_v1.STRUCTS]
    instances = [table for kind in (*indexbus_v1.KINDS, *byteor_v1.KINDS) for _, table in kind.instances()]
    return structs([*tops, *instances], (*indexbus_v1.FAMILIES, *byteor_v1.FAMILIES))


def _kind(kind: Kind) -> dict[str, object]:
    instances = [
        {"struct": table.name, "params": dict(params), "layout_hash": layout_hash(kind.text(**params)).hex()}
        for params, table in kind.instances()
    ]
    return {
        "name": kind.name,
        "number": kind.number,
        "doc": kind.doc,
        "family": f"{kind.family.prefix.lower()}_{kind.family.name}",
        "fixed": dict(kind.fixed),
        "interchange_only": kind.interchange_only,
        "instances": instances,
    }


def _family(family: Family) -> dict[str, object]:
    table = family.symbolic()
    bounds = [{"name": p.name, "doc": p.doc, "low": p.low, "high": p.high, "power": p.power} for p in family.params]
    cells = [
        {"name": one.name, "offset": c_text(one.offset), "size": c_text(one.type.bytes), "count": c_text(one.count)}
        for one in table.members
    ]
    name = f"{family.prefix.lower()}_{family.name}"
    return {"name": name, "doc": family.doc, "params": bounds, "cells": cells, "bytes": c_text(table.bytes)}


def _struct(table: Layout) -> dict[str, object]:
    cells = [_cell(one) for one in table.members]
    return {"name": table.name, "doc": table.doc, "bytes": table.bytes, "align": table.align, "cells": cells}


def _cell(one: Cell) -> dict[str, object]:
    stated = {"name": one.name, "type": one.type.name, "c": declaration(one), "offset": one.offset}
    sizes = {
        "size": one.type.bytes,
        "count": one.count,
        "stride": one.type.bytes,
        "align": max(one.align, one.type.align),
    }
    return {**stated, **sizes, "lock": one.type == byteor_v1.OWNED, "writer": one.writer, "doc": one.doc}


def page() -> str:
    """The page of layouts: how a region opens, then each kind, drawn."""
    parts = [
        "# Layouts\n\nWritten by `python -m dev gen` from the tables in `byteor.abi`. In C: `spec/byteor_v1.h`, which "
        "includes `spec/indexbus_v1.h`; for programs: `spec/layout.json`. "
        "The layouts are frozen: what `spec/vectors/layouts` holds stays where it is, and more may come behind it.",
        "## How a region opens\n\nNumbers are host-endian. `initialized` goes 0, 1, 2; a reader accepts 2 alone. "
        "Kinds from 128 on are ours: bytes 20 to 63 are as below, the shape stands at 64, words begin at 128. "
        "A line is 128 bytes and has one writer. A region has less than 4 GiB. An owner holds a byte lock at the "
        "offset of its own cell, for as long as it lives: each cell with a `pid` can be owned.",
        _drawn(byteor_v1.HEADER),
        f"## Capabilities\n\nBits 0 to 15 are required: who does not know one refuses the region. "
        f"Bits 16 to 31 are optional.\n\n{_capabilities()}",
        *[_section(kind, _PROSE[kind.name]) for kind in byteor_v1.KINDS],
        "### A journal's record\n\n" + _drawn(byteor_v1.RECORD_HEADER),
        "## For interchange only\n\nThe layouts of IndexBus, under its own kinds. No lane of ours uses them.",
        *[_section(kind, "") for kind in indexbus_v1.KINDS],
        *[f"### {table.name}\n\n{table.doc[0].upper()}{table.doc[1:]}.\n\n{_drawn(table)}" for table in _small()],
    ]
    return "\n\n".join(parts) + "\n"


def _small() -> tuple[Layout, ...]:
    return (indexbus_v1.RECORD_HEADER, indexbus_v1.ENVELOPE)


def _capabilities() -> str:
    rows = [f"| {bit} | `{name}` | {doc} |" for name, (bit, doc) in byteor_v1.CAPABILITIES.items()]
    return "\n".join(["| bit | name | meaning |", "|---|---|---|", *rows])


def _section(kind: Kind, prose: str) -> str:
    params, table = next(kind.instances())
    given = ", ".join(f"{name} = {value}" for name, value in params.items())
    title = f"### `{kind.name}` ({kind.number})\n\n{kind.doc[0].upper()}{kind.doc[1:]}. {prose}".rstrip()
    return f"{title}\n\n`{table.name}`: {given}.\n\n{_drawn(table)}"


def _drawn(table: Layout) -> str:
    return f"```text\n{drawing(table)}\n```"


def indexbus_v1_vectors() -> str:
    """The canonical texts of the original's layouts."""
    return _vectors(indexbus_v1.KINDS, indexbus_v1.STRUCTS)


def byteor_v1_vectors() -> str:
    """The canonical texts of our layouts."""
    return _vectors(byteor_v1.KINDS, byteor_v1.STRUCTS)


def _vectors(kinds: Iterable[Kind], tables: Iterable[Layout]) -> str:
    texts = [kind.text(**params) for kind in kinds for params, _ in kind.instances()]
    return "\n".join([DRAFT, "", *texts, *map(canonical, tables)])
