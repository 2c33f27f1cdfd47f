"""A block of CSV as rows: where each stands, and its columns as texts.

Rule 1. A quoted text may span lines; quotes elsewhere are letters.
Rule 2. A row with another number of columns is set aside and told, whatever bytes it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from byteor.edges import files

QUOTE, LF, CR = 34, 10, 13
MASK = bytes(byte if byte < 128 else ord("?") for byte in range(256))


def texts_of(data: bytes, names: list[str], wanted: list[str]) -> tuple[Any, dict[int, str]]:
    """Read the wanted columns as texts; second, the rows left out and why. Raises `pa.ArrowInvalid`."""
    if not data:
        return pa.table({name: pa.array([], pa.string()) for name in wanted}), {}
    if _is_utf8(data):
        return _parse(data, names, wanted)
    _, ragged = _parse(data.translate(MASK), names, wanted)  # pyarrow cannot tell of rows that are not UTF-8
    if ragged:
        data = _without(data, list(ragged))
    return (_parse(data, names, wanted) if data else texts_of(data, names, wanted))[0], ragged


def _parse(data: bytes, names: list[str], wanted: list[str]) -> tuple[Any, dict[int, str]]:
    ragged: dict[int, str] = {}

    def set_aside(row: Any) -> str:
        ragged[row.number - 1] = f"{row.actual_columns} columns, where the header has {row.expected_columns}"
        return "skip"

    convert = pcsv.ConvertOptions(
        include_columns=wanted,
        column_types=dict.fromkeys(wanted, pa.string()),
        strings_can_be_null=False,
        check_utf8=False,
    )
    read = pcsv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1)
    parse = pcsv.ParseOptions(newlines_in_values=True, invalid_row_handler=set_aside)
    return pcsv.read_csv(pa.BufferReader(data), read, parse, convert), ragged


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def _without(data: bytes, rows: list[int]) -> bytes:
    """Take rows out of a block."""
    spans = row_spans(data, None)
    keep = np.ones(len(data), dtype=bool)
    for row in rows:
        keep[spans.starts[row] : spans.ends[row]] = False
    return np.frombuffer(data, dtype=np.uint8)[keep].tobytes()


def has_open_quote(data: bytes, rows: int) -> bool:
    """Tell whether a quoted text ran to the block's end: an odd quote, and fewer rows than lines."""
    return data.count(b'"') % 2 == 1 and len(row_spans(data, -1).starts) > rows


def cut(data: bytes) -> int:
    """Find the end of the last whole row; a line end within quotes is none, unless no row would end for long."""
    last = data.rfind(b"\n") + 1
    if b'"' not in data:
        return last
    cells = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(cells == LF)
    even = breaks[np.searchsorted(np.flatnonzero(cells == QUOTE), breaks) % 2 == 0]
    end = int(even[-1]) + 1 if len(even) else 0
    return last if len(data) - end > 2 * files.BLOCK else end


@dataclass(frozen=True, slots=True)
class Spans:
    """Where each row of a block starts and ends, and how many lines stand before it."""

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray


def row_spans(data: bytes, rows: int | None) -> Spans:
    """Find the rows that are not empty.

    `rows` is how many the parser saw, when it is known: with another count of rows, quotes are plain letters.
    """
    cells = np.frombuffer(data, dtype=np.uint8)
    after = np.append(cells[1:], 0)
    breaks = np.flatnonzero((cells == LF) | ((cells == CR) & (after != LF)))
    even = breaks[np.searchsorted(np.flatnonzero(cells == QUOTE), breaks) % 2 == 0]
    quoted = _spans(cells, even, breaks)
    return quoted if rows is None or len(quoted.starts) == rows else _spans(cells, breaks, breaks)


def _spans(cells: np.ndarray, row_ends: np.ndarray, breaks: np.ndarray) -> Spans:
    open_end = not len(row_ends) or row_ends[-1] + 1 < len(cells)
    ends = np.append(row_ends + 1, len(cells)) if open_end else row_ends + 1
    starts = np.append(0, ends[:-1])
    first = cells[np.minimum(starts, max(len(cells) - 1, 0))] if len(cells) else starts
    filled = (ends > starts) & (first != LF) & (first != CR)
    return Spans(starts[filled], ends[filled], np.searchsorted(breaks, starts[filled]))
