"""Shapes are written and read back; a region that contradicts itself is told apart."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byteor.abi import byteor_v1 as ours
from byteor.abi.family import Kind
from byteor.abi.layout import layout_hash
from byteor.abi.shapes import BY_NUMBER, SHAPE_AT, SHAPE_END, contradictions, pack_shape, shape_bits, unpack_shape

LANE = {"rings": 3, "gates": 1, "capacity": 8, "slot_bytes": 24, "lengths": 1, "orders": 0}
INSTANCES = [(kind, params) for kind in ours.KINDS for params, _ in kind.instances()]
TOLD = ("layout_bytes", "digest", "capabilities")


def truth(kind: Kind, params: Mapping[str, int]) -> tuple[int, bytes, int]:
    chosen = kind.chosen(params)
    return kind.layout(**params).bytes, layout_hash(kind.text(**params)), shape_bits(chosen)


@pytest.mark.parametrize(("kind", "params"), INSTANCES, ids=lambda one: getattr(one, "name", ""))
def test_a_shape_comes_back(kind: Kind, params: Mapping[str, int]) -> None:
    block = pack_shape(kind, params)
    assert len(block) == SHAPE_END - SHAPE_AT
    assert unpack_shape(kind, bytes(SHAPE_AT) + block) == params
    assert contradictions(kind, params, *truth(kind, params)) == ()


def test_a_lane_s_shape_is_words_in_order() -> None:
    block = pack_shape(ours.EVENTS, LANE)
    assert [int.from_bytes(block[i : i + 8], "little") for i in range(0, 64, 8)] == [3, 1, 0, 8, 24, 1, 0, 0]


def test_capabilities_follow_from_the_shape() -> None:
    bits = ours.BITS
    assert shape_bits(ours.EVENTS.chosen(LANE)) == bits["lengths"] | bits["several_rings"]
    assert shape_bits({**LANE, "rings": 1, "lengths": 0, "filters": 3}) == bits["filters"]


@pytest.mark.parametrize(
    ("wrong", "path"), [((1, b"", 0), "layout_bytes"), ((0, b"\1", 0), "layout_hash"), ((0, b"", 2), "capabilities")]
)
def test_what_does_not_follow_is_a_finding(wrong: tuple[int, bytes, int], path: str) -> None:
    size, digest, bits = truth(ours.EVENTS, LANE)
    given_ = (size + wrong[0], digest + wrong[1], bits ^ wrong[2])
    assert [(d.code, d.path) for d in contradictions(ours.EVENTS, LANE, *given_)] == [("A003", path)]


def test_capabilities_that_do_not_follow_from_the_shape_are_free() -> None:
    size, digest, bits = truth(ours.EVENTS, LANE)
    assert contradictions(ours.EVENTS, LANE, size, digest, bits | ours.BITS["may_block"] | 1 << 31) == ()


@given(st.binary(min_size=SHAPE_END, max_size=SHAPE_END), st.sampled_from(sorted(BY_NUMBER)))
def test_any_bytes_are_judged(data: bytes, number: int) -> None:
    kind = BY_NUMBER[number]
    read = unpack_shape(kind, data)
    found = contradictions(kind, read, 0, b"", 0)
    assert found
    assert {d.code for d in found} <= {"A001", "A002", "A003"}
