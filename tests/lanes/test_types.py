"""The text of a message type in the region, and the envelope of untyped messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byteor import lanes
from byteor.diag import Refused
from byteor.lanes.envelope import HEADER_BYTES, decode
from byteor.lanes.typed import hash_of, schema_text, type_of
from tests.lanes.killing import code_of

INNER = np.dtype([("a", "<i2"), ("b", "S3", (2,))])
WIDE = np.dtype({"names": ["x", "y"], "formats": ["<i4", "<f8"], "offsets": [4, 16], "itemsize": 40})
TYPES: tuple[Any, ...] = (
    "<f8",
    ("<i4", (3,)),
    [("a", "<i8"), ("b", "<f4", (2, 3)), ("c", "S5"), ("d", "<U2"), ("e", "<M8[ns]"), ("f", "?"), ("g", "V7")],
    [("x", "<f8"), ("in", INNER, (2,)), ("one", INNER)],
    [("deep", [("deeper", [("n", "<i8"), ("m", WIDE, (2, 2))])])],
    WIDE,
    [("a.b", "u1"), ("c[2]", "u1"), ("d e", "u1"), ("é", "u1"), ("x*8", "u1"), ("\\n", "u1")],
)


@pytest.mark.parametrize("given_type", TYPES, ids=str)
def test_a_text_gives_its_type_again(given_type: Any) -> None:
    dtype = np.dtype(given_type)
    made = type_of(schema_text(dtype).encode(), hash_of(dtype), "")
    assert schema_text(made) == schema_text(dtype) and made.itemsize == dtype.itemsize
    assert made.names == dtype.names


LINES = st.lists(
    st.tuples(
        st.integers(0, 99), st.sampled_from(["a", "b.c", "b.d[2]", "e[3]*8.f", ".", "[2]", "a.", "a*4"]),
        st.sampled_from(["<i8", "|S3", "|V0", "|O", "<i99", "x", "<M8[ns]"]),
    )
)  # fmt: skip


@given(st.integers(0, 200), LINES)
def test_any_text_is_a_type_or_a_finding(size: int, lines: list[tuple[int, str, str]]) -> None:
    text = f"message bytes {size}\n" + "".join(f"{at} {path} {kind}\n" for at, path, kind in lines)
    try:
        assert schema_text(type_of(text.encode(), hash_of_text(text), "")) == text
    except Refused as refused:
        assert [d.code for d in refused.diagnostics] in (["T043"], ["T032"])


def hash_of_text(text: str) -> bytes:
    from byteor.abi.layout import schema_hash

    return schema_hash(text)


@pytest.mark.parametrize("kind", ["events", "fanout", "state", "journal"])
def test_a_lane_is_opened_without_saying_its_type(folder: Path, kind: str) -> None:
    dtype = np.dtype([("n", "<i8"), ("in", INNER, (2,))])
    with lanes.create("ticks", dtype, kind=kind) as lane, lanes.open("ticks") as other:
        assert other.dtype == dtype
        value = np.zeros(1, dtype)
        value["n"], value["in"]["a"] = 7, 3
        if kind == "state":
            lane.writer().put(value[0])
            assert other.reader().get() == value[0]
        elif kind == "journal":
            lane.writer().append(value[0])
            assert other.reader().receive() == value[0]
        else:
            lane.sender().send(value[0])
            assert other.reader().receive()["in"]["a"].tolist() == [3, 3]


def test_a_text_that_was_changed_is_not_believed(folder: Path) -> None:
    with lanes.create("ticks", np.dtype([("price", "<i8")])):
        pass
    raw = (folder / "ticks").read_bytes()
    (folder / "bent").write_bytes(raw.replace(b"0 price <i8", b"0 price <f8"))
    os.chmod(folder / "bent", 0o600)
    assert code_of(lambda: lanes.open("bent")) == "T043"
    assert lanes.open("bent", np.dtype([("price", "<i8")])).dtype.names == ("price",)


# Envelopes


def test_envelopes_say_what_a_message_is(folder: Path) -> None:
    with lanes.create("mixed", slot_bytes=64, enveloped=True) as lane, lanes.open("mixed") as other:
        sender, reader = lane.sender(), other.reader()
        sender.send(lanes.Envelope(b"hello", type=7, version=2, schema=1 << 63, codec=3))
        sender.send(b"plain")
        first = reader.receive()
        assert (bytes(first.payload), first.type, first.version, first.schema, first.codec) == (
            b"hello", 7, 2, 1 << 63, 3,
        )  # fmt: skip
        assert bytes(reader.receive().payload) == b"plain"
        assert sender.try_send(bytes(41)) is lanes.Outcome.TOO_LONG and sender.try_send(bytes(40))
        assert code_of(lambda: sender.send(lanes.Envelope(b"", type=-1, codec=256))) == "T044"
        assert bytes(reader.receive_many()[0].payload) == bytes(40)


def test_what_is_no_envelope_counts_as_received(folder: Path) -> None:
    with lanes.create("mixed", slot_bytes=64, enveloped=True) as lane:
        sender, reader = lane.sender(), lane.reader()
        for payload in (b"one", b"two", b"three"):
            sender.send(payload)
        lane._block.array("slots").reshape(-1, 64)[1, 0] ^= 1
        assert [bytes(one.payload) for one in reader.receive_many()] == [b"one"]
        assert code_of(reader.receive_many) == "T044"
        assert bytes(reader.receive().payload) == b"three"
    assert code_of(lambda: lanes.create("x", "<i8", enveloped=True)) == "T031"
    assert code_of(lambda: lanes.create("x", slot_bytes=HEADER_BYTES - 1, enveloped=True)) == "T031"


def test_headers_may_be_longer_and_not_wrong() -> None:
    good = lanes.Envelope(b"payload", type=1).encode()
    longer = bytearray(good[:HEADER_BYTES] + b"more" + b"payload")
    longer[7] += 4
    assert bytes(decode(memoryview(longer)).payload) == b"payload"
    for at, value in ((0, 0), (4, 1), (5, 128), (7, 23), (7, 255), (22, 8)):
        bent = bytearray(good)
        bent[at] = value
        assert code_of(lambda bent=bent: decode(memoryview(bent))) == "T044"  # type: ignore[misc]
    assert code_of(lambda: decode(memoryview(good[:23]))) == "T044"
