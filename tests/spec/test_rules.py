"""The rules of the spec: what is valid passes, what raises carries every finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from byteor.diag import Diagnostic, errors, in_order
from byteor.spec import dag, rules
from byteor.spec.build import SingleRingBuilder, SpecError, message_type, single_ring_chain, stage
from byteor.spec.describe import describe
from byteor.spec.kv import decode, encode
from byteor.spec.model import SingleRing, Stage, State
from byteor.spec.values import canonical, parse
from tests import strategies
from tests.strategies import FEW

TICK = message_type("tick", {"key": "u32", "px": "f64"})
CHAIN = single_ring_chain("demo", TICK, ["stages:a", "stages:b"])


@FEW
@given(strategies.valid_rings())
def test_a_valid_ring_has_no_errors(spec: SingleRing) -> None:
    assert errors(rules.validate(spec)) == ()


@FEW
@given(strategies.anything(SingleRing))
def test_any_ring_has_findings_in_canonical_order(spec: SingleRing) -> None:
    found = rules.validate(spec)
    assert found == in_order(found)


@FEW
@given(strategies.valid_rings())
def test_describe_says_the_same_of_the_same_spec(spec: SingleRing) -> None:
    again = decode(encode(spec)).spec
    assert isinstance(again, SingleRing) and describe(again) == describe(spec)


@FEW
@given(strategies.anything(SingleRing))
def test_describe_takes_any_ring(spec: SingleRing) -> None:
    assert describe(spec).isascii()


def test_spec_error_carries_everything_the_first_finding_first() -> None:
    broken = replace(CHAIN, capacity=1000, wait="sleep", shards=0)
    with pytest.raises(SpecError) as caught:
        rules.validate_v1(broken)
    assert [d.code for d in caught.value.diagnostics] == ["S020", "S026", "S023"]
    assert str(caught.value).startswith("error[S020] bad-capacity")


def test_check_gives_a_valid_spec_back() -> None:
    assert rules.check(CHAIN) is CHAIN


def _codes(found: tuple[Diagnostic, ...]) -> set[str]:
    return {d.code for d in found}


def _diamond(left: dict[str, Any], right: dict[str, Any]) -> set[str]:
    builder = SingleRingBuilder("demo", TICK).type(message_type("total", {"key": "u32", "sum": "f64"}))
    builder.stage("first", "stages:first").stage("left", "stages:left", after=["first"], **left)
    builder.stage("right", "stages:right", after=["first"], **right)
    return _codes(rules.validate(builder.stage("last", "stages:last", after=["left", "right"]).draft()))


@pytest.mark.parametrize(
    ("left", "right", "races"),
    [
        ({}, {}, True),
        ({"reads": ("px",), "writes": ()}, {"reads": ("px",), "writes": ()}, False),
        ({"reads": ("px",), "writes": ("px",)}, {"reads": ("key",), "writes": ("key",)}, False),
        ({"reads": (), "writes": ("px",)}, {"reads": (), "writes": ("px",)}, True),
        ({"reads": (), "writes": ("px",)}, {"reads": ("px",), "writes": ()}, True),
        ({"reads": ("px",), "writes": ()}, {"reads": (), "writes": ("px",)}, True),
        ({"writes": (), "min_out": 0}, {"writes": (), "min_out": 0}, False),
        ({"reads": (), "writes": ("key",)}, {"reads": (), "writes": (), "state": State("total", ("key",), 4)}, True),
    ],
)
def test_parallel_branches_race_by_what_they_declare(left: dict[str, Any], right: dict[str, Any], races: bool) -> None:
    assert ("S045" in _diamond(left, right)) == races


def _naive_before(stages: tuple[Stage, ...], i: int, j: int) -> bool:
    return i in stages[j].depends_on or any(_naive_before(stages, i, k) for k in stages[j].depends_on)


@FEW
@given(strategies.valid_rings())
def test_ancestors_are_those_that_a_walk_finds(spec: SingleRing) -> None:
    before = dag.ancestors(spec.stages)
    for j in range(len(spec.stages)):
        assert [bool(before[j] >> i & 1) for i in range(j)] == [_naive_before(spec.stages, i, j) for i in range(j)]
    assert all(before[j] >> j == 0 for j in range(len(spec.stages)))
    assert dag.sources(spec.stages) == (0,)


@pytest.mark.parametrize("call", ["m:f", "a.b:c.d", "registered-name", "__main__:f", "identity"])
def test_calls_that_name_a_function(call: str) -> None:
    assert "S040" not in _codes(rules.validate(replace(CHAIN, stages=(stage("a", call, "tick"),))))


@pytest.mark.parametrize("call", ["", "m:", ":f", "m:f:g", "m.py:f", "a b:c", "m:<lambda>", "1:f"])
def test_calls_that_name_none(call: str) -> None:
    assert "S040" in _codes(rules.validate(replace(CHAIN, stages=(stage("a", call, "tick"),))))


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("u8", "255", 255),
        ("u8", "256", None),
        ("i8", "-128", -128),
        ("f64", "1.5", 1.5),
        ("f64", "1_0", None),
        ("f64", "-inf", float("-inf")),
        ("bool", "true", True),
        ("bool", "1", None),
        ("bytes(2)", "ab", b"ab"),
        ("bytes(2)", "abc", None),
        ("timestamp(s)", "nat", -(2**63)),
        ("timestamp(s)", "5", 5),
        ("nothing", "5", None),
    ],
)
def test_scalars_read_from_their_text(type: str, text: str, value: object) -> None:
    assert parse(type, text) == value


@given(strategies.integers)
def test_canonical_text_reads_back(number: int) -> None:
    assert parse("i64", canonical(number)) == number
