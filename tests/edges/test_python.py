"""Python code as source and sink: arrays, tuples, dicts, functions, and how they fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byteor import diag
from byteor.edges.open import open_sink, open_source
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, Field, Ingress, MessageType

TICK = MessageType(
    "tick",
    (Field("id", "i64"), Field("px", "f64", null="nan"), Field("at", "timestamp(us)"), Field("v", "u8", count=2)),
)
INGRESS = Ingress("in", "tick", "auto", ("",), "fail", None)
EGRESS = Egress("out", "tick", "auto", "", "rows", (), 100)
NOON = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)
MICROS = int(NOON.timestamp()) * 1_000_000


def collect(rows: Any, **more: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype(TICK)), *open_source(INGRESS, TICK, rows, **more)])


def test_rows_of_every_kind() -> None:
    """Tuples, dicts, lists of rows and arrays may be mixed, and keep their order."""
    array = np.zeros(2, dtype(TICK))
    array["id"] = 3
    rows = [(1, 0.5, NOON, [1, 2]), {"id": 2, "at": "2020-01-01T12:00:00Z", "v": (3, 4)}, array, [(4, 1, 5, [0, 0])]]
    got = collect(iter(rows))
    assert got["id"].tolist() == [1, 2, 3, 3, 4] and got["at"].tolist() == [MICROS, MICROS, 0, 0, 5]
    assert np.isnan(got["px"][1]) and got["v"][1].tolist() == [3, 4]


def test_numpy_rows_and_local_times() -> None:
    """Numpy scalars, times with another zone and times without one are UTC in the record."""
    east = dt.timezone(dt.timedelta(hours=2))
    times = [np.datetime64("2020-01-01T12:00:00", "s"), NOON.astimezone(east), NOON.replace(tzinfo=None), MICROS]
    got = collect([(np.int8(7), np.float32(0.5), at, np.array([1, 2])) for at in times])
    assert got["at"].tolist() == [MICROS] * 4 and got["id"].tolist() == [7] * 4


def test_an_array_is_cut_but_not_changed() -> None:
    """One array is a source that can be read again."""
    array = np.zeros(10, dtype(TICK))
    array["id"] = np.arange(10)
    source = open_source(INGRESS, TICK, array, batch=4)
    assert [len(part) for part in source] == [4, 4, 2] and source.rereadable
    assert np.concatenate(list(source)).tobytes() == array.tobytes() and source.position == 10


@pytest.mark.parametrize(
    ("row", "code", "path"),
    [
        ((True, 0.0, 0, [1, 2]), "E011", "in.1.id"),
        ((2**63, 0.0, 0, [1, 2]), "E012", "in.1.id"),
        ((1.5, 0.0, 0, [1, 2]), "E011", "in.1.id"),
        ((1, "x", 0, [1, 2]), "E011", "in.1.px"),
        ((1, 10**400, 0, [1, 2]), "E012", "in.1.px"),
        ((1, 0.0, None, [1, 2]), "E014", "in.1.at"),
        ((1, 0.0, np.datetime64("NaT"), [1, 2]), "E011", "in.1.at"),
        ((1, 0.0, 0, [1, 256]), "E012", "in.1.v.1"),
        ((1, 0.0, 0, [1]), "E011", "in.1.v"),
        ((1, 0.0, 0), "E021", "in"),
        (np.zeros(3), "E021", "in"),
        (np.zeros(1, [("id", "i8")]), "E009", "in.at"),
        (np.zeros(1, [("id", "f8"), ("px", "f8"), ("at", "i8"), ("v", "u1", 2)]), "E010", "in.id"),
    ],
)
def test_misfits(row: Any, code: str, path: str) -> None:
    """What does not fit is told by its row and field."""
    with pytest.raises(diag.Refused) as caught:
        collect([row])
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].path) == (code, path)


def test_named_functions(tmp_path: Path) -> None:
    """`python:module:function` is looked for in the plan's folder; a sink's function gets arrays to keep."""
    (tmp_path / "edge_functions.py").write_text(
        "kept = []\n"
        "def rows():\n    yield (1, 1.0, 0, [0, 0])\n    yield (2, 2.0, 0, [0, 0])\n"
        "def keep(batches):\n    kept.extend(batches)\n"
    )
    source = open_source(INGRESS, TICK, "python:edge_functions:rows", folder=tmp_path)
    sink = open_sink(EGRESS, TICK, "python:edge_functions:keep", folder=tmp_path)
    scratch = np.zeros(2, dtype(TICK))
    for batch in source:
        scratch[: len(batch)] = batch
        sink.write(scratch[: len(batch)])
    scratch[:] = 0
    sink.finish()
    import sys

    assert [row["id"].tolist() for row in sys.modules.pop("edge_functions").kept] == [[1, 2]]


def test_a_failing_sink_fails_the_writer() -> None:
    """The function's own error comes out of `write` or `finish`."""

    def fail(batches: Iterator[np.ndarray]) -> None:
        next(batches)
        raise RuntimeError("disk on fire")

    sink = open_sink(EGRESS, TICK, fail)
    with pytest.raises(RuntimeError, match="disk on fire"):
        for _ in range(5):
            sink.write(np.zeros(1, dtype(TICK)))
    sink.abort()


def test_an_aborted_sink_sees_it() -> None:
    """A function whose run is given up gets an error, and never takes a part for the whole."""
    seen: list[str] = []

    def watch(batches: Iterator[np.ndarray]) -> None:
        try:
            for _ in batches:
                seen.append("batch")
            seen.append("complete")
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    sink = open_sink(EGRESS, TICK, watch)
    sink.write(np.zeros(1, dtype(TICK)))
    sink.abort()
    assert seen == ["batch", "Aborted"]


def test_a_list_takes_copies() -> None:
    """A list collects batches; an abort takes back what it was given."""
    kept: list[np.ndarray] = []
    rows = np.zeros(3, dtype(TICK))
    sink = open_sink(EGRESS, TICK, kept)
    sink.write(rows)
    rows["id"] = 9
    sink.finish()
    assert kept[0]["id"].tolist() == [0, 0, 0]
    other = open_sink(EGRESS, TICK, kept)
    other.write(rows)
    other.abort()
    assert len(kept) == 1
