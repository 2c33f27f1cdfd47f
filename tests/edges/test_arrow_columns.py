"""Columns of foreign Parquet and Arrow files become fields, or say why not."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byteor import diag
from byteor.edges.open import open_source
from byteor.spec.model import Field, Ingress, MessageType

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

NOON = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)
SECONDS = int(NOON.timestamp())


def read(tmp_path: Path, field: Field, array: Any, bad: str = "fail") -> list[Any]:
    """Read one column from a Parquet file."""
    pq.write_table(pa.table({field.name: array}), tmp_path / "a.parquet")
    ingress = Ingress("in", "row", "auto", ("", "NA"), bad, None)
    parts = list(open_source(ingress, MessageType("row", (field,)), tmp_path / "a.parquet"))
    return [value for part in parts for value in part[field.name].tolist()]


@pytest.mark.parametrize(
    ("type", "array", "values"),
    [
        ("i16", pa.array([1, -2], pa.int64()), [1, -2]),
        ("i32", pa.array([1.0, 2.0]), [1, 2]),
        ("u64", pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
        ("f64", pa.array([1, 2], pa.int32()), [1.0, 2.0]),
        ("f64", pa.array([decimal.Decimal("1.25")]), [1.25]),
        ("f32", pa.array([0.5]), [0.5]),
        ("bool", pa.array([True, False]), [True, False]),
        ("bytes(3)", pa.array(["a", "", "abc"], pa.large_string()), [b"a", b"", b"abc"]),
        ("bytes(3)", pa.array([b"\xff\x00a"], pa.binary(3)), [b"\xff\x00a"]),
        ("bytes(2)", pa.array(["UA", "AA", "UA"]).dictionary_encode(), [b"UA", b"AA", b"UA"]),
        ("timestamp(s)", pa.array([NOON], pa.timestamp("ns", "Europe/Paris")), [SECONDS]),
        ("timestamp(ms)", pa.array([NOON.replace(tzinfo=None)], pa.timestamp("s")), [SECONDS * 1000]),
        ("timestamp(s)", pa.array([NOON.date()]), [SECONDS - 43_200]),
        ("timestamp(s)", pa.array([5]), [5]),
        ("timestamp(s)", pa.array(["2020-01-01T12:00:00Z"]), [SECONDS]),
        ("i32", pa.array(["12", "-3"]), [12, -3]),
    ],
)
def test_types_that_fit(type: str, array: Any, values: list[Any], tmp_path: Path) -> None:
    """Numbers become numbers, times times, and texts are read as in a CSV file."""
    assert read(tmp_path, Field("x", type), array) == values


@pytest.mark.parametrize(
    ("field", "array"),
    [
        (Field("x", "bool"), pa.array([1, 0])),
        (Field("x", "i32"), pa.array([True])),
        (Field("x", "i32"), pa.array([NOON])),
        (Field("x", "bytes(4)"), pa.array([1])),
        (Field("x", "timestamp(s)"), pa.array([1.5])),
        (Field("x", "i32"), pa.array([[1]])),
        (Field("x", "i32", count=2), pa.array([1])),
    ],
)
def test_types_that_do_not_fit(field: Field, array: Any, tmp_path: Path) -> None:
    """A column of another nature is refused before the first row."""
    with pytest.raises(diag.Refused) as caught:
        read(tmp_path, field, array)
    assert [(d.code, d.path) for d in caught.value.diagnostics] == [("E010", "in.x")]


@pytest.mark.parametrize(
    ("field", "array", "code", "path"),
    [
        (Field("x", "i8"), pa.array([1, 200]), "E012", "in.2.x"),
        (Field("x", "i8"), pa.array([1, 1.5]), "E011", "in.2.x"),
        (Field("x", "i8"), pa.array([1, None]), "E014", "in.2.x"),
        (Field("x", "bytes(1)"), pa.array(["a", "é"]), "E013", "in.2.x"),
        (Field("x", "timestamp(s)"), pa.array([NOON, NOON.replace(microsecond=1)]), "E011", "in.2.x"),
        (Field("x", "i8", count=2), pa.array([[1, 2], [1]]), "E011", "in.2.x"),
        (Field("x", "i8", count=2), pa.array([[1, 2], None]), "E011", "in.2.x"),
        (Field("x", "i8", count=2), pa.array([[1, 2], [3, 999]]), "E012", "in.2.x.1"),
    ],
)
def test_values_that_do_not_fit(field: Field, array: Any, code: str, path: str, tmp_path: Path) -> None:
    """A value that the field cannot hold is a bad row, and under `skip` the others stay."""
    with pytest.raises(diag.Refused) as caught:
        read(tmp_path, field, array)
    assert [(d.code, d.path) for d in caught.value.diagnostics] == [(code, path)]
    assert len(read(tmp_path, field, array, "skip")) == 1


def test_nulls_become_what_the_field_declares(tmp_path: Path) -> None:
    """A null, and a null text in a text column, is the declared value; a text without one stays a text."""
    assert read(tmp_path, Field("x", "i32", null="-1"), pa.array([1, None])) == [1, -1]
    assert np.isnan(read(tmp_path, Field("x", "f64", null="nan"), pa.array([None, None], pa.float64()))).all()
    assert read(tmp_path, Field("x", "i32", null="7"), pa.array([None, None])) == [7, 7]
    assert read(tmp_path, Field("x", "timestamp(s)", null="nat"), pa.array([None], pa.date32())) == [-(2**63)]
    assert read(tmp_path, Field("x", "bytes(2)", null="--"), pa.array(["NA", "", None, "b"])) == [b"--"] * 3 + [b"b"]
    assert read(tmp_path, Field("x", "bytes(2)"), pa.array(["NA", ""])) == [b"NA", b""]
    assert read(tmp_path, Field("x", "i8", count=2, null="9"), pa.array([[1, None]])) == [[1, 9]]


def test_a_column_that_stands_twice(tmp_path: Path) -> None:
    """Of two columns with one name, none is taken."""
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "a.parquet")
    ingress = Ingress("in", "row", "auto", (), "fail", None)
    with pytest.raises(diag.Refused, match="E008"):
        open_source(ingress, MessageType("row", (Field("x", "i8"),)), tmp_path / "a.parquet")
