"""Files that are broken or ill-meant end in findings, never in a traceback or a wrong row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byteor import diag
from byteor.edges.open import open_sink, open_source
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, Field, Ingress, MessageType

ROW = MessageType(
    "row", (Field("a", "i32"), Field("b", "bytes(4)"), Field("c", "f64", null="nan"), Field("d", "i8", count=2))
)
LINE = MessageType("line", (Field("text", "bytes(4)"),))
EGRESS = Egress("out", "row", "auto", "", "rows", (), 4)
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FORMATS = ("csv", "parquet", "raw", "jsonl", "lines", "arrow", "npy")
JUNK = st.binary(max_size=60) | st.text('a,b"\n\r1{}[]:.-\0é', max_size=60).map(str.encode)


def message(format: str) -> MessageType:
    return LINE if format == "lines" else ROW


def take(where: Path, format: str, bad: str) -> np.ndarray | None:
    """Read what can be read; None when the file was refused."""
    ingress = Ingress("in", "row", format, ("",), bad, None)
    try:
        source = open_source(ingress, message(format), where, format=format)
        return np.concatenate([np.zeros(0, dtype(message(format))), *source])
    except diag.Refused as refusal:
        assert refusal.diagnostics and all(d.code.startswith("E") and d.message for d in refusal.diagnostics)
        return None


def valid(where: Path, format: str) -> bytes:
    """Write a good file of ten rows."""
    rows = np.zeros(10, dtype(message(format)))
    rows[rows.dtype.names[-1]] = 7
    sink = open_sink(EGRESS, message(format), where, format=format)
    sink.write(rows)
    sink.finish()
    return where.read_bytes()


@pytest.mark.parametrize("format", FORMATS)
@FUZZ
@given(junk=JUNK, bad=st.sampled_from(["fail", "skip"]))
def test_junk(format: str, junk: bytes, bad: str, tmp_path: Path) -> None:
    """Any bytes are read or refused."""
    (tmp_path / "a").write_bytes(junk)
    take(tmp_path / "a", format, bad)


@pytest.mark.parametrize("format", FORMATS)
@FUZZ
@given(cut=st.integers(0, 100), junk=JUNK, at=st.integers(0, 100), bad=st.sampled_from(["fail", "skip"]))
def test_damage(format: str, cut: int, junk: bytes, at: int, bad: str, tmp_path: Path) -> None:
    """A good file with a hole in it, or something in it, is read or refused."""
    good = valid(tmp_path / "a", format)
    start = len(good) * at // 100
    (tmp_path / "a").write_bytes(good[:start] + junk + good[start + cut :])
    take(tmp_path / "a", format, bad)


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":1,"b":"\\ud800","c":1,"d":[1,2]}',
        b'{"a":1,"b":"\xff","c":1,"d":[1,2]}',
        b'{"a":NaN,"b":"","c":1,"d":[1,2]}',
        b'{"a":1,"b":"","c":1,"d":[1,[2]]}',
        b'{"a":1,"b":"","c":1,"d":{"0":1,"1":2}}',
        b'{"a":true,"b":"","c":1,"d":[1,2]}',
        b'{"a":1e400,"b":"","c":1,"d":[1,2]}',
    ],
)
def test_hostile_json(line: bytes, tmp_path: Path) -> None:
    """A line that is too deep, too long or of odd values is one bad row."""
    good = b'{"a":1,"b":"","c":null,"d":[1,2]}'
    (tmp_path / "a").write_bytes(b"\n".join([good, line, good]))
    rows = take(tmp_path / "a", "jsonl", "skip")
    assert rows is not None and len(rows) == 2
    assert take(tmp_path / "a", "jsonl", "fail") is None


def test_a_pickle_in_an_npy_file_is_never_run(tmp_path: Path) -> None:
    """Objects are refused before they are made."""
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object))
    assert take(tmp_path / "a.npy", "npy", "skip") is None
