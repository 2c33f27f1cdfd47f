"""Open sources and sinks by name: what a boundary of the spec becomes when it is given a place.

Rule 1. The format is the one asked for, else the suffix's, else the boundary's; content is never looked at.
Rule 2. All that can be refused before the first row is refused here, and no output has been touched by then.
Rule 3. A format's file is imported when it is asked for, so what is not used costs nothing and needs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from byteor.edges import files, findings
from byteor.edges.batches import Batches, Reader, Sorted
from byteor.edges.contract import BATCH, Rejects, Sink, Source
from byteor.edges.rows import Judge
from byteor.spec.model import Egress, Ingress, MessageType

SUFFIXES = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".raw": "raw",
    ".bin": "raw",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "lines",
    ".log": "lines",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".npy": "npy",
}
FORMATS = ("csv", "parquet", "raw", "jsonl", "lines", "arrow", "npy")
HEADED = ("csv", "parquet", "arrow", "npy")
STREAMS = ("csv", "jsonl", "lines", "raw", "arrow")
ARROW = ("csv", "parquet", "arrow")
PYTHON = "python:"
ANY = "auto"

Place = str | os.PathLike[str]


def open_source(
    ingress: Ingress,
    message: MessageType,
    where: Place | Iterable[Any],
    *,
    format: str | None = None,
    batch: int = BATCH,
    rejects: Rejects | None = None,
    folder: Path | None = None,
) -> Source:
    """Open what `where` names for reading; `folder` is where `python:` modules are looked for."""
    text = os.fspath(where) if isinstance(where, str | os.PathLike) else f"<{type(where).__name__}>"
    judge = Judge(ingress.name, ingress.bad, text, rejects)
    if not isinstance(where, str | os.PathLike):
        reader, again = _iterable(message, where, judge)
    elif text.startswith(PYTHON):
        reader, again = _function(message, text, judge, folder), False
    else:
        reader, again = _file(ingress, message, text, judge, format), files.rereadable(text)
    if ingress.sort_by is None:
        return Batches(reader, judge, batch, again)
    note = f"`{ingress.name}` is loaded whole and sorted by `{ingress.sort_by}`: its memory grows with the input"
    return Batches(Sorted(reader, ingress.sort_by), judge, batch, again, note)


def _iterable(message: MessageType, rows: Iterable[Any], judge: Judge) -> tuple[Reader, bool]:
    from byteor.edges.python import IterableReader

    made = [rows] if isinstance(rows, np.ndarray) else rows
    return IterableReader(message, lambda: made, judge), not isinstance(made, Iterator)


def _function(message: MessageType, text: str, judge: Judge, folder: Path | None) -> Reader:
    from byteor.edges.python import IterableReader, resolve

    return IterableReader(message, resolve(judge.name, text, folder), judge)


def _file(ingress: Ingress, message: MessageType, where: str, judge: Judge, format: str | None) -> Reader:
    kind = format_of(ingress.name, where, format, ingress.format)
    files.check_input(ingress.name, where)
    reader = _reader(kind, message, where, judge, ingress.null_text)
    if files.rereadable(where):
        if kind in HEADED and not os.path.getsize(where):
            raise judge.refuse(findings.EMPTY, f"`{where}` has no bytes")
        with files.noted(where):
            reader.check()
    return reader


def _reader(kind: str, message: MessageType, where: str, judge: Judge, null_text: tuple[str, ...]) -> Reader:
    if kind in ARROW:
        need_arrow(judge.name, where, kind)
    if kind == "csv":
        from byteor.edges.csv_in import CsvReader

        return CsvReader(message, where, judge, null_text)
    if kind in ("parquet", "arrow"):
        from byteor.edges.arrow_files import ArrowReader

        return ArrowReader(message, where, judge, null_text, kind)
    return _plain_readers()[kind](message, where, judge)


def _plain_readers() -> dict[str, Callable[[MessageType, str, Judge], Reader]]:
    from byteor.edges.jsonl import JsonlReader
    from byteor.edges.lines import LinesReader
    from byteor.edges.raw import NpyReader, RawReader

    return {"jsonl": JsonlReader, "lines": LinesReader, "npy": NpyReader, "raw": RawReader}


def open_sink(
    egress: Egress,
    message: MessageType,
    where: Place | list[np.ndarray] | Callable[[Iterator[np.ndarray]], Any],
    *,
    format: str | None = None,
    folder: Path | None = None,
) -> Sink:
    """Open what `where` names for writing; `folder` is where `python:` modules are looked for."""
    from byteor.edges.python import FunctionSink, ListSink, resolve

    if isinstance(where, list):
        return ListSink(message, where)
    if not isinstance(where, str | os.PathLike):
        return FunctionSink(egress.name, message, getattr(where, "__name__", "function"), where)
    text = os.fspath(where)
    if text.startswith(PYTHON):
        return FunctionSink(egress.name, message, text, resolve(egress.name, text, folder))
    return _sink(format_of(egress.name, text, format, egress.format), egress, message, text)


def _sink(kind: str, egress: Egress, message: MessageType, where: str) -> Sink:
    if kind in ARROW:
        need_arrow(egress.name, where, kind)
    if kind == "csv":
        from byteor.edges.csv_out import CsvSink

        return CsvSink(egress, message, where)
    if kind in ("parquet", "arrow"):
        from byteor.edges.arrow_files import ArrowSink

        return ArrowSink(egress, message, where, kind)
    return _plain_sinks()[kind](egress, message, where)


def _plain_sinks() -> dict[str, Callable[[Egress, MessageType, str], Sink]]:
    from byteor.edges.jsonl import JsonlSink
    from byteor.edges.lines import LinesSink
    from byteor.edges.raw import NpySink, RawSink

    return {"jsonl": JsonlSink, "lines": LinesSink, "npy": NpySink, "raw": RawSink}


def format_of(name: str, where: str, asked: str | None, boundary: str) -> str:
    """Choose the format, or refuse with what there is."""
    kind = asked or SUFFIXES.get(Path(where).suffix.lower()) or boundary.removeprefix(ANY)
    if kind not in FORMATS:
        message = f"`{kind}` is no format" if kind else f"nothing says the format of `{where}`"
        raise files.refused(findings.UNKNOWN_FORMAT, name, where, message, f"use one of {', '.join(FORMATS)}")
    if where == files.STREAM and kind not in STREAMS:
        message = f"`{kind}` cannot go through a stream"
        raise files.refused(findings.NO_STREAM, name, where, message, f"use one of {', '.join(STREAMS)}")
    return kind


def need_arrow(name: str, where: str, kind: str) -> None:
    """Refuse a format that needs pyarrow when it is not installed."""
    try:
        import pyarrow

        pyarrow.scalar(0)  # its first scalar looks for pandas, which may take longer than a run: not amid the rows
    except ImportError as error:
        message = f"`{kind}` needs pyarrow, which is not installed"
        raise files.refused(findings.MISSING_EXTRA, name, where, message, "pip install 'byteor[arrow]'") from error
