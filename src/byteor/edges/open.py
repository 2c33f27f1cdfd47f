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
        source = _iterable(message, where, judge, batch)
    elif text.startswith(PYTHON):
        source = _function(message, text, judge, batch, folder)
    else:
        source = _file(ingress, message, text, judge, batch, format)
    return Sorted(source, ingress.name, ingress.sort_by, batch) if ingress.sort_by else source


def _iterable(message: MessageType, rows: Iterable[Any], judge: Judge, batch: int) -> Source:
    from byteor.edges.python import IterableSource

    made = [rows] if isinstance(rows, np.ndarray) else rows
    return IterableSource(message, lambda: made, not isinstance(made, Iterator), judge, batch)


def _function(message: MessageType, text: str, judge: Judge, batch: int, folder: Path | None) -> Source:
    from byteor.edges.python import IterableSource, resolve

    return IterableSource(message, resolve(judge.name, text, folder), False, judge, batch)


def _file(ingress: Ingress, message: MessageType, where: str, judge: Judge, batch: int, format: str | None) -> Source:
    kind = format_of(ingress.name, where, format, ingress.format)
    files.check_input(ingress.name, where)
    source = _source(kind, message, where, judge, ingress.null_text, batch)
    if files.rereadable(where):
        if kind in HEADED and not os.path.getsize(where):
            raise judge.refuse(findings.EMPTY, f"`{where}` has no bytes")
        with files.noted(where):
            getattr(source, "check", lambda: None)()
    return source


def _source(
    kind: str, message: MessageType, where: str, judge: Judge, null_text: tuple[str, ...], batch: int
) -> Source:
    if kind in ARROW:
        need_arrow(judge.name, where, kind)
    if kind == "csv":
        from byteor.edges.csv_in import CsvSource

        return CsvSource(message, where, judge, null_text, batch)
    if kind in ("parquet", "arrow"):
        from byteor.edges.arrow_files import ArrowSource

        return ArrowSource(message, where, judge, null_text, batch, kind)
    return _plain_sources()[kind](message, where, judge, batch)


def _plain_sources() -> dict[str, Callable[[MessageType, str, Judge, int], Source]]:
    from byteor.edges.jsonl import JsonlSource
    from byteor.edges.lines import LinesSource
    from byteor.edges.raw import NpySource, RawSource

    return {"jsonl": JsonlSource, "lines": LinesSource, "npy": NpySource, "raw": RawSource}


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
    kind = asked or SUFFIXES.get(Path(where).suffix.lower()) or boundary
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
        import pyarrow  # noqa: F401
    except ImportError as error:
        message = f"`{kind}` needs pyarrow, which is not installed"
        raise files.refused(findings.MISSING_EXTRA, name, where, message, "pip install 'byteor[arrow]'") from error


class Sorted:
    """All rows of a source in the order of one field, equal ones as they came."""

    def __init__(self, source: Source, name: str, field: str, batch: int) -> None:
        self._source, self._field, self._batch = source, field, batch
        self.rereadable, self.position = source.rereadable, 0
        self.note = f"`{name}` is loaded whole and sorted by `{field}`: its memory grows with the input"

    @property
    def skipped(self) -> int:
        return self._source.skipped

    def __iter__(self) -> Iterator[np.ndarray]:
        self.position = 0
        batches = list(self._source)
        if not batches:
            return
        rows = np.concatenate(batches)
        rows = rows[np.argsort(rows[self._field], kind="stable")]
        for start in range(0, len(rows), self._batch):
            part = rows[start : start + self._batch]
            self.position += len(part)
            yield part
