"""Messages as bytes: what is written is read, and what is none is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byteor.fabric import messages
from byteor.fabric.link import IN, OUT, Link, from_data, to_data
from byteor.fabric.messages import HEAD_BYTES, LARGEST, Line, Message, News, decode, encode

U64 = st.integers(0, 2**64 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
LINES = st.builds(Line, U64, U64, st.binary(min_size=16, max_size=16))
MESSAGES = st.builds(
    Message,
    st.sampled_from([messages.DATA, messages.STATE, messages.PROBE]),
    st.integers(0, 255),
    st.just(0),
    LINES,
    U64,
    U64,
    I64,
    I64,
    st.builds(News, I64, I64, I64),
)


@given(MESSAGES)
def test_what_is_written_is_read(m: Message) -> None:
    assert decode(encode(m)) == m


@given(st.binary(max_size=2 * HEAD_BYTES))
def test_what_is_none_is_none(data: bytes) -> None:
    assert decode(data) is None or data[:4] == messages.MAGIC


def test_lengths_are_not_believed() -> None:
    m = Message(messages.DATA, 0, 64, Line(1, 2, bytes(16)), 3, 4, 5, 6, messages.NOTHING)
    assert decode(encode(m)) == m
    assert decode(encode(m._replace(length=LARGEST + 1))) is None
    assert decode(encode(m._replace(kind=messages.STATE))) is None
    assert decode(encode(m._replace(kind=9))) is None
    assert decode(encode(m)[:-1]) is None


def test_lanes_and_forms_have_numbers_of_their_own() -> None:
    assert messages.lane_number("a") != messages.lane_number("b")
    assert messages.contract("a") != messages.contract("b") and len(messages.contract("a")) == 16


@pytest.mark.parametrize("side", [OUT, IN])
def test_a_link_is_plain_data(side: str) -> None:
    link = Link("in_to_tax", side, "tcp", 2**64 - 1, connect="10.0.0.2:7447", certificate="b.pem", key="b.key")
    assert from_data(to_data(link)) == link and link.secure and link.address == "10.0.0.2:7447"
    assert link.role == f"in_to_tax.{side}"
    assert Link("a", side, "tcp", 1, name="a_far").role == f"a_far.{side}"
