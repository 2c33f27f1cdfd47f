"""Streams of bytes cut into blocks of whole rows.

Rule 1. Memory is bounded by the block; a row longer than `ROW_LIMIT` is refused.
Rule 2. A line ends with LF, CR LF or CR alone; the last one need not end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from byteor.edges import findings
from byteor.edges.files import ROW_LIMIT
from byteor.edges.rows import Judge


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows, and the number of the file's lines before them."""

    data: bytes
    line: int


def last_line_end(data: bytes) -> int:
    """Find where the last whole line ends."""
    return data.rfind(b"\n") + 1


def lines_in(data: bytes) -> int:
    """Count line ends."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def whole_rows(stream: Iterable[bytes], judge: Judge, cut: Callable[[bytes], int] = last_line_end) -> Iterator[Block]:
    """Cut the stream at row ends; what follows the last one waits for the next block."""
    rest, line = b"", 0
    for data in stream:
        rest += data
        end = cut(rest)
        if end:
            yield Block(rest[:end], line)
            line += lines_in(rest[:end])
            rest = rest[end:]
        elif len(rest) > ROW_LIMIT:
            raise judge.refuse(findings.NOT_THE_FORMAT, f"line {line + 1} is longer than {ROW_LIMIT >> 20} MiB")
    if rest:
        yield Block(rest, line)
