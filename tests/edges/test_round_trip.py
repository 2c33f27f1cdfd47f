"""Rows that go out and come in again are the same bits, in every format."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byteor.edges.open import open_sink, open_source
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, Field, Ingress, MessageType

MIXED = MessageType(
    "mixed",
    (
        Field("a", "i8"),
        Field("b", "u64"),
        Field("c", "i32", null="-1"),
        Field("d", "f64", null="nan"),
        Field("e", "f32"),
        Field("f", "bool"),
        Field("g", "bytes(5)", null=""),
        Field("h", "bytes(3)"),
        Field("i", "timestamp(s)", null="nat"),
        Field("j", "timestamp(ms)"),
        Field("k", "timestamp(us)"),
        Field("l", "timestamp(ns)"),
        Field("m", "i16", count=3),
        Field("n", "f64", count=2, null="nan"),
        Field("o", "bytes(2)", count=2),
    ),
)
INGRESS = Ingress("in", "mixed", "", ("", "NA"), "fail", None)
EGRESS = Egress("out", "mixed", "", "", "rows", (), 64)
LINE = MessageType("line", (Field("text", "bytes(6)"),))
FORMATS = ("csv", "parquet", "raw", "jsonl", "arrow", "npy")


def _text(size: int, empty: bytes = b"") -> st.SearchStrategy[bytes]:
    """Texts of at most `size` bytes; none is a null text, unless it is the null itself."""
    texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=size)
    short = texts.map(lambda text: text.encode()[:size].decode(errors="ignore").encode())
    return short.map(lambda raw: empty if raw in (b"", b"NA") else raw)


def _number(bits: int) -> st.SearchStrategy[float]:
    plain = st.floats(width=bits, allow_nan=False)
    return plain | st.just(float("nan"))


I64 = st.integers(-(2**63) + 1, 2**63 - 1)
FAR = st.integers(-(10**11), 10**11)  # Parquet keeps seconds as milliseconds
ROW = st.tuples(
    st.integers(-128, 127),
    st.integers(0, 2**64 - 1),
    st.integers(-(2**31), 2**31 - 1),
    _number(64),
    _number(32),
    st.booleans(),
    _text(5),
    _text(3, b"x"),
    FAR | st.just(-(2**63)),
    I64,
    I64,
    I64,
    st.tuples(*[st.integers(-(2**15), 2**15 - 1)] * 3),
    st.tuples(*[_number(64)] * 2),
    st.tuples(*[_text(2, b"x")] * 2),
)


def write(where: Path, message: MessageType, rows: np.ndarray, batch: int, egress: Egress = EGRESS) -> bytes:
    """Write rows in batches of one size; give the file's bytes."""
    sink = open_sink(egress, message, where)
    for start in range(0, len(rows) + batch, batch):  # the last write has no rows
        sink.write(rows[start : start + batch])
    sink.finish()
    return where.read_bytes()


def read(where: Path, message: MessageType, batch: int = 65_536, ingress: Ingress = INGRESS) -> np.ndarray:
    """Read all rows."""
    parts = list(open_source(ingress, message, where, batch=batch))
    assert all(0 < len(part) <= batch and part.flags.c_contiguous for part in parts if len(part))
    return np.concatenate([np.zeros(0, dtype(message)), *parts])


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=12))
def test_round_trip(format: str, rows: list[tuple[object, ...]], tmp_path: Path) -> None:
    """What comes back is what went out, whatever the batches on both sides."""
    table = np.array(rows, dtype=dtype(MIXED))
    where = tmp_path / f"rows.{format}"
    write(where, MIXED, table, 3)
    assert read(where, MIXED).tobytes() == table.tobytes()
    assert read(where, MIXED, batch=2).tobytes() == table.tobytes()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(_text(6).map(lambda raw: raw.replace(b"\n", b" ").replace(b"\r", b" ")), max_size=12))
def test_lines_round_trip(texts: list[bytes], tmp_path: Path) -> None:
    """Lines keep empty lines and every byte but the line end."""
    table = np.array(texts, dtype="S6").view(dtype(LINE)) if texts else np.zeros(0, dtype(LINE))
    write(tmp_path / "rows.txt", LINE, table, 2)
    assert read(tmp_path / "rows.txt", LINE, batch=5).tobytes() == table.tobytes()


def sample(count: int) -> np.ndarray:
    """Make rows of all types, nulls among them."""
    rng = np.random.default_rng(7)
    table = np.zeros(count, dtype(MIXED))
    for name in "abcijkl":
        table[name] = rng.integers(-100, 100, count) if name != "b" else rng.integers(0, 2**63, count)
    table["d"], table["e"], table["f"] = rng.normal(size=count), rng.normal(size=count), rng.integers(0, 2, count)
    table["g"] = rng.choice([b"", b"a", b'q"', b"x,y", b"abcde"], count)
    table["h"] = rng.choice([b"JFK", b"\xc3\xa9"], count)
    table["d"][::5] = np.nan
    table["i"][::7] = -(2**63)
    table["c"][::3] = -1
    table["m"] = rng.integers(-9, 9, (count, 3))
    table["n"] = rng.normal(size=(count, 2))
    table["n"][::4, 1] = np.nan
    table["o"] = b"ab"
    return table


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_do_not_show_the_batches(format: str, tmp_path: Path) -> None:
    """A file is the same bytes however its rows were cut when they were written."""
    table = sample(500)
    files = {write(tmp_path / f"{size}.{format}", MIXED, table, size) for size in (1, 7, 64, 500)}
    assert len(files) == 1


def test_row_groups_are_exact(tmp_path: Path) -> None:
    """Parquet has row groups of exactly the size that the egress says, and real nulls."""
    pq = pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "a.parquet", MIXED, sample(150), 33)
    meta = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [meta.row_group(i).num_rows for i in range(meta.num_row_groups)] == [64, 64, 22]
    table = pq.read_table(tmp_path / "a.parquet")
    assert (
        table["c"].null_count == 50 and table["i"].null_count == 22 and str(table["i"].type) == "timestamp[ms, tz=UTC]"
    )
    assert not table.schema.field("a").nullable and table["d"].null_count == 30


def test_slots_may_be_wider_than_records(tmp_path: Path) -> None:
    """A sink takes rows that stand in slots with room after them."""
    table = sample(10)
    wide = np.zeros(10, dtype(MIXED, 256))
    for name in wide.dtype.names or ():
        wide[name] = table[name]
    for format in FORMATS:
        assert write(tmp_path / f"w.{format}", MIXED, wide, 3) == write(tmp_path / f"n.{format}", MIXED, table, 10)


def test_dtype_is_packed_and_padded_at_its_end() -> None:
    """The numpy type has the fields' own offsets, and only its size knows the slot."""
    plain, wide = dtype(MIXED), dtype(MIXED, 256)
    assert plain.itemsize == MIXED.size and wide.itemsize == 256
    assert struct.unpack_from("<b", sample(1).tobytes())[0] == sample(1)["a"][0]
    assert [plain.fields[n][1] for n in plain.names] == [wide.fields[n][1] for n in wide.names]
