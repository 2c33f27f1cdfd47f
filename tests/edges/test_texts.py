"""A text means the same alone and beside others, and in CSV as in JSON Lines."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from byteor.edges import times
from byteor.edges.open import open_source
from byteor.edges.texts import pack, unpack
from byteor.exec.schema import dtype
from byteor.spec.model import Field, Ingress, MessageType

SKIP = Ingress("in", "row", "auto", (), "skip", None)
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBER = st.text("0123456789+-.eExXnaift _", min_size=1, max_size=6)


def _digits(most: int) -> st.SearchStrategy[str]:
    return st.integers(0, most).map("{:02}".format)


CLOCK = st.builds(
    "{}:{}:{}{}".format,
    _digits(24),
    _digits(60),
    _digits(60),
    st.sampled_from(["", ".5", ".123", ".123456", ".1234567"]),
)
ZONE = st.sampled_from(["", "Z", "z", "+02", "+0230", "-02:30", "+24:00", "+2"])
TIME = st.builds(
    "{:04}-{}-{}{}{}{}".format, st.integers(1700, 2199), _digits(13), _digits(31), st.sampled_from("T "), CLOCK, ZONE
)


def values(where: Path, kind: str, texts: list[str]) -> dict[int, object]:
    """Read one column of texts from CSV; give the values by place, bad ones left out."""
    message = MessageType("row", (Field("n", "i64"), Field("x", kind)))
    where.write_text("n,x\n" + "".join(f"{i},{text}\n" for i, text in enumerate(texts)))
    rows = np.concatenate([np.zeros(0, dtype(message)), *open_source(SKIP, message, where)])
    return {row["n"].item(): row["x"].tobytes() for row in rows}


@pytest.mark.parametrize("kind", ["i64", "u8", "f64", "f32", "bool", "timestamp(ms)"])
@QUICK
@given(text=NUMBER | TIME | st.sampled_from(["TRUE", "false", "infinity", "-INF", "NaN", "1e999", "1_0", "007"]))
@example(text="0x1F")
@example(text="-0x1F")
@example(text="1.")
@example(text=".5")
def test_a_bad_neighbour_changes_nothing(kind: str, text: str, tmp_path: Path) -> None:
    """A column with a bad value reads its other values as a good column does."""
    alone = values(tmp_path / "a.csv", kind, [text]).get(0)
    beside = values(tmp_path / "b.csv", kind, ["1", text, "?", "0"])
    assert beside.get(1) == alone and 2 not in beside


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@QUICK
@given(text=TIME)
def test_times_mean_the_same_in_every_format(unit: str, text: str, tmp_path: Path) -> None:
    """CSV and JSON Lines agree on which texts are times, and on which."""
    csv = values(tmp_path / "a.csv", f"timestamp({unit})", [text]).get(0)
    message = MessageType("row", (Field("x", f"timestamp({unit})"),))
    (tmp_path / "a.jsonl").write_text(json.dumps({"x": text}) + "\n")
    rows = list(open_source(SKIP, message, tmp_path / "a.jsonl"))
    assert (rows[0].tobytes() if rows else None) == csv


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@QUICK
@given(count=st.integers(-(2**63) + 1, 2**63 - 1))
def test_times_come_back(unit: str, count: int) -> None:
    """Whatever a time leaves as, it comes back."""
    text = times.texts(np.array([count]), unit)[0].decode()
    assert times.parse(text, unit) == count


@QUICK
@given(texts=st.lists(st.binary(max_size=9)))
def test_pack_and_unpack(texts: list[bytes]) -> None:
    """Texts laid into a column come out again; too long ones are named and left empty."""
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    starts = ends - np.array([len(text) for text in texts], dtype=np.int64)
    column, long = pack(np.frombuffer(b"".join(texts), np.uint8), starts, ends, 6)
    assert long.tolist() == [i for i, text in enumerate(texts) if len(text) > 6]
    assert column.tolist() == [text.rstrip(b"\0") if len(text) <= 6 else b"" for text in texts]
    letters, offsets = unpack(column)
    assert [letters[a:b].tobytes() for a, b in pairwise(offsets)] == column.tolist()
