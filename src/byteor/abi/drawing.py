"""The tables as drawings: a byte ruler for small structs, a map of lines for regions.

Rule 1. A drawing shows the table and nothing else: offsets, names, sizes, writers.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.abi.layout import Cell, Layout, Scalar, leaves

_ROW, _BYTE = 8, 9  # bytes in a row of the ruler; characters to a byte
_RULER = 64  # up to this many bytes a struct is drawn with the ruler


def drawing(table: Layout) -> str:
    """Draw a layout."""
    return ruler(table) if table.bytes <= _RULER else line_map(table)


def ruler(table: Layout) -> str:
    """Draw every byte: eight in a row, a box for each member's part of it."""
    edge = "    +" + ("-" * (_BYTE - 1) + "+") * _ROW
    head = "     " + "".join(f"{i:^{_BYTE - 1}} " for i in range(_ROW)).rstrip()
    rows = [head, edge]
    for start in range(0, table.bytes, _ROW):
        rows += [f"{start:>3} |" + "".join(_boxes(table, start)), edge]
    return "\n".join(rows)


def _boxes(table: Layout, start: int) -> Iterator[str]:
    """The boxes of one row; what belongs to no member is an empty one."""
    end = min(start + _ROW, table.bytes)
    at = start
    while at < end:
        name, until = _box(table, at)
        until = min(until, end)
        yield f"{name:^{(until - at) * _BYTE - 1}}|"
        at = until


def _box(table: Layout, at: int) -> tuple[str, int]:
    """What lies at a byte, and up to where."""
    for _, one, offset in leaves(table):
        if offset > at:
            return "", offset
        if at < offset + _length(one):
            return one.name, offset + _length(one)
    return "", table.bytes


def _length(one: Cell) -> int:
    return one.count * one.type.bytes


def line_map(table: Layout) -> str:
    """Draw a region from top to bottom: where each member starts, what it is, who writes it."""
    rows = [(str(one.offset), _name(one), _size(one), one.writer or _writer(one)) for one in _shown(table)]
    rows.append((str(table.bytes), "end", "", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    edge = "+".join(["-" * (widths[0] + 1), *["-" * (w + 2) for w in widths[1:]]])
    lines = [_row(row, widths).rstrip() for row in rows]
    return "\n".join([edge, *lines, edge])


def _row(row: tuple[str, ...], widths: list[int]) -> str:
    rest = [f"{text:<{width}}" for text, width in zip(row[1:], widths[1:], strict=True)]
    return " | ".join([f"{row[0]:>{widths[0]}}", *rest])


def _shown(table: Layout) -> list[Cell]:
    return [one for one in table.members if _length(one)]


def _name(one: Cell) -> str:
    inner = "" if isinstance(one.type, Scalar) else " {" + ", ".join(m.name for m in one.type.members) + "}"
    return f"{one.name}{f'[{one.count}]' if one.is_array else ''}{inner if len(inner) < 60 else ''}"


def _size(one: Cell) -> str:
    return f"{one.count} x {one.type.bytes}" if one.is_array else str(one.type.bytes)


def _writer(one: Cell) -> str:
    """Who writes the parts of a struct, where the struct itself does not say."""
    if isinstance(one.type, Scalar):
        return ""
    return "; ".join(dict.fromkeys(m.writer or _writer(m) for m in one.type.members if m.writer or _writer(m)))
